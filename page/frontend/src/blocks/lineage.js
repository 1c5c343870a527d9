// Lineage: the runs with their data, code and versions, what changed between them, and the study file.
import { copyButton, h, put } from '../dom.js'
import { duration, moment } from '../format.js'
import { model } from '../model.js'

export function lineageCard() {
  const element = h('section', { class: 'card w6', id: 'lineage' })
  const update = () => {
    element.classList.toggle('w12', model.page.lineage.verdicts.length < 2) // then nothing stands beside it
    put(element, content())
  }
  return { element, update }
}

function content() {
  const { lineage, head } = model.page
  const tags = Object.entries(head.tags)
  return [
    h('div', { class: 'top' }, h('h3', {}, 'Lineage'), copyButton('Copy study file', () => lineage.spec)),
    h('p', { class: 'about' }, 'The runs that made this history, latest first, and what changed since the run before.'),
    tags.length ? h('p', { class: 'muted' }, tags.map(([name, text]) => `${name}: ${text}`).join(' · ')) : null,
    h('ul', { class: 'runs' }, lineage.runs.map(run)),
    h('details', {}, h('summary', {}, 'Study file'), h('pre', { tabindex: '0' }, lineage.spec)),
  ]
}

function run({ run: name, status, started_at, ended_at, host, data, commit, versions, changes, message }) {
  const took = started_at !== null && ended_at !== null ? `, ${duration(ended_at - started_at)}` : ''
  const known = Object.entries(versions).map(([library, version]) => `${library} ${version}`)
  return h(
    'li',
    {},
    h('div', {}, h('b', {}, moment(started_at)), ` · ${status}${took} · ${host} · run ${name}`),
    changes.length ? h('div', { class: 'changes' }, `Changed: ${changes.join('; ')}`) : null,
    h('div', { class: 'muted' }, [data ? `data ${data}` : null, commit ? `code ${commit}` : null, ...known].filter(Boolean).join(' · ')),
    message ? h('div', { class: 'muted' }, message) : null,
  )
}
