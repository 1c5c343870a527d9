// Notes and tags of the study or of one trial: what was noted, and a form (live) or the command to do it (in a file).
import { isFile } from '../address.js'
import { copyButton, h, put } from '../dom.js'
import { moment } from '../format.js'
import { ask } from '../live.js'
import { model } from '../model.js'
import { trialLink } from '../trial/link.js'

export function notesCard() {
  const element = h('section', { class: 'card w12', id: 'notes' })
  const list = h('div')
  const form = noteForm(null)
  put(element, h('div', { class: 'top' }, h('h3', {}, 'Notes')), list, form)
  return { element, update: () => put(list, listed(model.page.notes, model.page.labels, true)) }
}

/** What stands on a trial's page. */
export function trialNotes(number) {
  const row = model.rowOf.get(number)
  const tags = row === undefined ? [] : (model.page.trials.tags[row] ?? [])
  return [listed(model.page.notes.filter((one) => one.trial === number), tags, false), noteForm(number)]
}

function listed(notes, tags, isOfAll) {
  return [
    tags.length ? h('p', {}, tags.map((tag) => h('span', { class: 'pill tag' }, tag))) : null,
    notes.length
      ? h('ul', { class: 'facts-list' }, notes.map((one) => h('li', {}, h('span', { class: 'muted' }, `${moment(one.at)} `), isOfAll && one.trial !== null ? [trialLink(one.trial, `trial ${one.trial}`), ': '] : null, one.text, one.tags.map((tag) => h('span', { class: 'pill tag' }, tag)), one.untagged.map((tag) => h('s', { class: 'muted' }, ` ${tag}`)))))
      : h('p', { class: 'muted' }, 'Nothing is noted.'),
  ]
}

function noteForm(trial) {
  const subject = () => `${model.page.head.study}${trial === null ? '' : `:${trial}`}`
  const command = () => `pegbox note ${quoted(subject())} ${quoted('…')} --tag …`
  if (isFile) return h('p', { class: 'muted screen' }, 'To note something: ', h('code', {}, command()), ' ', copyButton('Copy', command))
  const text = h('input', { type: 'text', class: 'find', maxlength: 10000, 'aria-label': 'Note', placeholder: 'A note' })
  const tags = h('input', { type: 'text', maxlength: 300, 'aria-label': 'Tags, with commas between them', placeholder: 'tags, with commas' })
  const said = h('span', { role: 'status', class: 'muted' })
  const send = async (event) => {
    event.preventDefault()
    const words = tags.value.split(',').map((one) => one.trim()).filter(Boolean)
    try {
      // A minus before a tag takes it away.
      await ask('./api/note', { study: model.page.head.study, trial, text: text.value.trim(), tags: words.filter((one) => !one.startsWith('-')), untagged: words.filter((one) => one.startsWith('-')).map((one) => one.slice(1)) })
      text.value = tags.value = ''
      said.textContent = 'Noted.'
    } catch (error) {
      said.textContent = error.message
    }
  }
  return h('form', { class: 'bar screen', onsubmit: send }, text, tags, h('button', {}, 'Note'), said)
}

const quoted = (text) => (/^[\w.:@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
