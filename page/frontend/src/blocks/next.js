// What next: at most a few steps, each with its ground and its command.
import { copyButton, h, put } from '../dom.js'
import { absence, model } from '../model.js'

export function nextCard() {
  const element = h('section', { class: 'card w12', id: 'next' })
  return { element, update: () => put(element, h('h2', { class: 'ask bare' }, 'What next?'), content()) }
}

function content() {
  const { advice, state } = model.page.analysis
  const nothing = state === 'older' ? 'Nothing stood out so far; what came since is being looked at.' : model.page.answer ? 'Nothing stands out: run the configuration above.' : 'Nothing stands out so far.'
  if (!advice.length) return h('p', { class: 'muted' }, absence(nothing))
  return h('ol', { class: 'next' }, advice.map(step))
}

function step({ text, evidence, command }) {
  return h(
    'li',
    {},
    text,
    evidence ? h('span', { class: 'muted' }, evidence) : null,
    command ? action(command) : null,
  )
}

/** A command can be copied; other advice is said in words. */
function action(command) {
  if (!command.startsWith('pegbox ')) return h('span', { class: 'muted' }, `How: ${command}`)
  return h('span', { class: 'command' }, h('code', {}, command), copyButton('Copy', () => command))
}
