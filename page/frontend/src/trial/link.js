// The way to a trial's page and back, as links that can be opened beside, too.
import { addressWith, say } from '../address.js'
import { h } from '../dom.js'
import { model } from '../model.js'

/** A link to a trial's page. */
export function trialLink(number, text = String(number)) {
  return stepLink({ trial: number }, text, 'trial-link', number)
}

/** Go to a trial's page. */
export function openTrial(number) {
  say({ trial: number }, true)
}

/** From a trial to its study. */
export function backLink(changes = { trial: null }) {
  return stepLink(changes, `← ${model.page.head.study}`, 'back')
}

function stepLink(changes, text, kind, number) {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return // the browser opens it beside
    event.preventDefault()
    say(changes, true)
  }
  return h('a', { href: addressWith(changes), onclick: follow, class: kind, 'data-trial': number }, text)
}
