// Studies beside each other: what differs, both answers with their intervals, how each came down, which knobs matter.
import { isFile } from '../address.js'
import { differingCard } from '../beside.js'
import { h } from '../dom.js'
import { duration, metric, percent } from '../format.js'
import { model } from '../model.js'
import { table } from '../table.js'
import { backLink } from '../trial/link.js'
import { answersCard, importanceCard, progressCard } from './charts.js'

/** The studies that the address names beside the page's own. */
export async function studiesBeside(others, fetchCompared) {
  const { head, compared } = model.page
  if (!isFile) return fetchCompared([head.study, ...others])
  const held = compared?.studies.map((one) => one.study) ?? []
  const missing = others.find((name) => !held.includes(name))
  if (missing !== undefined) throw new Error(`This file does not hold the study ${JSON.stringify(missing)}. pegbox report ${head.study} --compare ${missing} writes one that does; pegbox ui compares any.`)
  return { studies: compared.studies.filter((one) => one.study === head.study || others.includes(one.study)) }
}

/** @returns {element, remove} */
export function studiesView({ studies }) {
  const [first] = studies
  const charts = [answersCard(studies), progressCard(studies), importanceCard(studies)]
  const heads = studies.map((one) => one.study)
  return {
    element: h(
      'div',
      {},
      h('header', {}, backLink({ view: null, with: null }), h('h1', { tabindex: '-1' }, `${heads.length} studies beside each other`), h('p', { class: 'facts' }, heads.join(' · '))),
      h('div', { class: 'grid' }, differencesCard(first, studies.slice(1)), ...charts.map((card) => card.element), answerParameters(studies, heads), settingsCard(studies, heads), costsCard(studies, heads)),
    ),
    remove: () => charts.forEach((card) => card.remove()),
  }
}

function differencesCard(first, others) {
  return h(
    'section',
    { class: 'card w12', id: 'studies-difference' },
    h('div', { class: 'top' }, h('h2', { class: 'h3' }, 'Which answer is better')),
    h('ul', { class: 'facts-list' }, others.map(({ study, difference }) => h('li', {}, h('b', {}, `${first.study} against ${study}: `), difference.sentence, sure(difference), difference.note ? h('span', { class: 'muted' }, ` ${difference.note}`) : null))),
  )
}

const sure = ({ gain, level, probability_first: chance }) => (gain ? ` Difference: ${gain} (${percent(level)} interval; P(better) ${percent(chance)}).` : '')

function answerParameters(studies, heads) {
  const answered = studies.map((one) => one.answer)
  const names = [...new Set(answered.flatMap((answer) => Object.keys(answer?.configuration ?? {})))]
  const exact = answered.map((answer) => (answer ? JSON.parse(answer.recipe.json_text) : {}))
  const rows = names.map((name) => ({ name, texts: answered.map((answer) => answer?.configuration[name] ?? null), keys: exact.map((one) => one[name]) }))
  return differingCard({ id: 'studies-parameters', title: 'What each would run', heads, rows, noun: ['parameter', 'parameters'] })
}

function settingsCard(studies, heads) {
  const names = [...new Set(studies.flatMap((one) => Object.keys(one.settings)))]
  const rows = names.map((name) => ({ name, texts: studies.map((one) => one.settings[name] ?? null) }))
  return differingCard({ id: 'studies-settings', title: 'Study files', size: 'w12', heads, rows, noun: ['entry', 'entries'] })
}

const LINES = [
  ['state', (one) => one.state],
  ['trials', (one) => String(one.n_trials)],
  ['failed', (one) => String(one.n_failed)],
  ['training time', (one) => duration(one.training_seconds)],
  ['running time', (one) => duration(one.elapsed_seconds)],
  ['answer', (one) => (one.answer ? `trial ${one.answer.trial}, ${one.answer.kind === 'selected' ? one.answer.seeds || 'on fresh seeds' : 'as the search saw it'}` : null)],
  ['its value', (one) => one.answer?.text ?? null],
  ['on held-out data', (one) => Object.entries(one.answer?.test_metrics ?? {}).map(([name, value]) => `${name} ${metric(value)}`).join(', ') || null],
  ['data', (one) => one.data.slice(0, 12) || null],
]

function costsCard(studies, heads) {
  const rows = LINES.map(([name, read]) => [name, ...studies.map(read)]).filter(([, ...texts]) => texts.some((text) => text !== null))
  return h('section', { class: 'card w12', id: 'studies-reached' }, h('div', { class: 'top' }, h('h2', { class: 'h3' }, 'What each took and reached')), table({ label: 'What each took and reached', sortable: false, columns: [{ name: 'measured' }, ...heads.map((name) => ({ name }))], rows }))
}

