// The small heading that asks one of the four questions.
import { h } from '../dom.js'

export function question(text) {
  return h('span', { class: 'ask' }, text)
}
