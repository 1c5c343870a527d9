// What stands on a trial's page: from the configuration down to the files.
import { trialNotes } from '../blocks/notes.js'
import { model } from '../model.js'
import { h } from '../dom.js'
import { bytes, count, counted, duration, metric, moment, when } from '../format.js'
import { table } from '../table.js'
import { OUTCOMES, outcomeOf } from '../theme.js'
import { configurationCard } from './configuration.js'
import { curvesCard } from './curves.js'
import { backLink, openTrial, trialLink } from './link.js'

/** @returns {element, remove} */
export function trialView(life) {
  const curves = life.isShort || !life.curves.length ? null : curvesCard(life)
  const cards = [
    configurationCard(life),
    curves?.element,
    ...(life.isShort ? [card('left-out', 'More of this trial', h('p', { class: 'muted' }, `This file tells the lives of ${count(model.page.lives.length)} trials; this one is not among them. pegbox ui shows every one.`))] : [attemptsCard(life), measuredCard(life), lineageCard(life), filesCard(life), stretchesCard(life)]),
  ]
  cards.push(card('notes', 'Notes', trialNotes(life.number)))
  return {
    element: h('div', {}, top(life), h('div', { class: 'grid' }, cards)),
    remove: () => curves?.remove(),
  }
}

function top(life) {
  const outcome = OUTCOMES[outcomeOf(life.state)].label
  const [before, after] = neighbours(life.number)
  const way = (word, to) => h('button', { type: 'button', disabled: to === null, onclick: () => openTrial(to) }, word)
  return h(
    'header',
    {},
    backLink(),
    h('h1', { tabindex: '-1' }, `Trial ${life.number}`),
    h('span', { class: 'pill', 'data-outcome': outcomeOf(life.state) }, outcome),
    h('nav', { class: 'tools', 'aria-label': 'Other trials' }, way('Previous', before), way('Next', after)),
    h('p', { class: 'facts' }, facts(life).join(' · ')),
    life.excluded ? h('p', { class: 'facts' }, `Cannot be named the best. ${life.excluded}`) : null,
  )
}

/** The trials before and after it by number, among the selected ones. */
function neighbours(own) {
  let [before, after] = [null, null]
  model.page.trials.number.forEach((one, row) => {
    if (!model.mask[row]) return
    if (one < own && (before === null || one > before)) before = one
    if (one > own && (after === null || one < after)) after = one
  })
  return [before, after]
}

function facts(life) {
  const { head, answer } = model.page
  const values = head.goals.filter(({ metric: name }) => name in life.metrics).map(({ metric: name }) => `${name} ${metric(life.metrics[name])} at ${life.budget}`)
  const memory = Math.max(0, ...(life.stretches ?? []).map((one) => one.peak_memory_bytes ?? 0))
  return [
    ...values,
    life.place ? `number ${count(life.place)} of those that compete, as the search saw it` : null,
    answer?.trial === life.number ? 'the answer' : null,
    life.seconds === null ? null : `${duration(life.seconds)} of training`,
    memory ? `${bytes(memory)} at most` : null,
    life.ended_at ? `ended ${moment(life.ended_at)}` : null,
  ].filter(Boolean)
}

export function card(id, title, ...content) {
  return h('section', { class: 'card', id: `trial-${id}` }, h('div', { class: 'top' }, h('h2', { class: 'h3' }, title)), content)
}

function attemptsCard({ attempts }) {
  if (!attempts.length) return card('attempts', 'Attempts', h('p', { class: 'muted' }, 'Training has not begun.'))
  return card('attempts', 'Attempts', h('ol', { class: 'failures' }, attempts.map(attempt)))
}

function attempt(one) {
  const which = one.replicate === null ? `Attempt ${one.attempt}` : `Fresh seed ${one.replicate}, attempt ${one.attempt}`
  const words = [one.state, one.seconds === null ? null : duration(one.seconds), one.worker ? `worker ${one.worker}` : null, one.started_at === null ? null : moment(one.started_at)]
  return h(
    'li',
    {},
    h('div', {}, h('b', {}, which), h('span', { class: 'muted' }, ` · ${words.filter(Boolean).join(' · ')}`)),
    one.failure_kind ? h('div', { class: 'error' }, `${one.failure_kind.replaceAll('_', ' ')}: ${one.message}`) : null,
    one.traceback ? h('details', { open: true }, h('summary', {}, 'Traceback and what it wrote last'), h('pre', { tabindex: '0' }, one.traceback)) : null,
  )
}

function measuredCard({ measured }) {
  const names = [...new Set(measured.flatMap((one) => Object.keys(one.metrics)))]
  if (!measured.length) return card('measured', 'Rung by rung', h('p', { class: 'muted' }, 'Nothing was measured.'))
  const isAny = (field) => measured.some((one) => one[field] !== null)
  const columns = [
    ['budget', { name: 'budget', numeric: true }, (one) => one.budget],
    ['fold', { name: 'fold' }, (one) => (one.fold === null ? 'mean of all' : String(one.fold))],
    ['replicate', { name: 'fresh seed' }, (one) => (one.replicate === null ? 'search' : String(one.replicate))],
    ...names.map((name) => [null, { name, numeric: true, text: metric }, (one) => one.metrics[name] ?? null]),
    [null, { name: 'seconds', numeric: true, text: duration }, (one) => one.seconds],
  ].filter(([field]) => field === null || field === 'budget' || isAny(field))
  return card(
    'measured',
    'Rung by rung',
    h('p', { class: 'about' }, 'What was measured at each budget at which the trial was compared, and on fresh seeds.'),
    table({ label: 'Rung by rung', columns: columns.map(([, column]) => column), rows: measured.map((one) => columns.map(([, , read]) => read(one))) }),
  )
}

const stretchColumns = () => [
  [{ name: model.page.head.fidelity }, (one) => `${one.from_budget} to ${one.reached ?? one.to_budget}${one.reached === null ? ' (not reached)' : ''}`],
  [{ name: 'attempt', numeric: true }, (one) => one.attempt],
  [{ name: 'fold', numeric: true }, (one) => one.fold],
  [{ name: 'fresh seed', numeric: true }, (one) => one.replicate],
  [{ name: 'seed', numeric: true, text: String }, (one) => one.seed],
  [{ name: 'took', numeric: true, text: duration }, (one) => one.seconds],
  [{ name: 'memory', numeric: true, text: bytes }, (one) => one.peak_memory_bytes],
  [{ name: 'worker' }, (one) => one.worker || null],
  [{ name: 'device' }, (one) => one.device || null],
  [{ name: 'began', text: when }, (one) => one.started_at],
  [{ name: 'notes' }, (one) => one.notes.join(', ') || null],
  [{ name: 'checkpoint' }, (one) => one.checkpoint || null],
]

function stretchesCard({ stretches }) {
  if (!stretches.length) return null
  // What no stretch tells has no column.
  const columns = stretchColumns().filter(([, read], place) => place < 2 || stretches.some((one) => read(one) !== null))
  const element = card(
    'stretches',
    'Stretches of training',
    table({
      label: 'Stretches of training',
      columns: columns.map(([column]) => column),
      rows: stretches.map((one) => columns.map(([, read]) => read(one))),
    }),
  )
  element.classList.add('w12')
  return element
}

function lineageCard(life) {
  const { head } = model.page
  const began = life.stretches.filter((one) => one.from_budget > 0 && one.replicate === null).length
  const lines = [
    `Proposed by ${head.method}${life.learns_from.length ? `, which learnt from ${life.learns_from.join(', ')} (warm start)` : ''}${life.seed === null ? '' : `; trained with seed ${life.seed}`}.`,
    ...life.decisions.map((one) => `Decision ${one.number}, ${moment(one.at)}: ${{ start: 'begun', continue: 'continued', stop: 'stopped' }[one.kind] ?? one.kind}${one.to_budget === null ? '' : ` up to budget ${one.to_budget}`}.`),
    began ? `${counted(began, 'stretch', 'stretches')} went on from a checkpoint of this trial.` : null,
  ]
  return card(
    'lineage',
    'Lineage',
    h('ul', { class: 'facts-list' }, lines.filter(Boolean).map((line) => h('li', {}, line))),
    life.alike.length
      ? [h('p', { class: 'muted' }, 'The very same configuration was tried as:'), h('ul', { class: 'facts-list' }, life.alike.map((one) => h('li', {}, one.study === head.study ? trialLink(one.number, `trial ${one.number}`) : `trial ${one.number} of ${one.study}`, ` (${one.state}${one.value === null ? '' : `, ${metric(one.value)}`})`)))]
      : null,
  )
}

function filesCard({ files, stretches }) {
  const kept = [...new Set(stretches.map((one) => one.checkpoint).filter(Boolean))].map((path) => ['checkpoint', path, null])
  const rows = [...kept, ...files.map((one) => [one.kind, one.path, one.n_bytes])]
  if (!rows.length) return null
  return card('files', 'Files', h('p', { class: 'about' }, 'Paths within the store; what a finished study needs no more is deleted by pegbox store gc.'), table({ label: 'Files', columns: [{ name: 'kind' }, { name: 'path' }, { name: 'size', numeric: true, text: bytes }], rows }))
}
