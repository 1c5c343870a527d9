// Failures, grouped by kind and message, with a traceback of each group.
import { h, put } from '../dom.js'
import { count, counted, percent } from '../format.js'
import { isFiltered, model, onSelection, selectedOf } from '../model.js'
import { trialLink } from '../trial/link.js'

export function failuresCard() {
  const element = h('section', { class: 'card', id: 'failures' })
  const update = () => put(element, h('div', { class: 'top' }, h('h3', {}, 'Failures')), content())
  onSelection(update)
  return { element, update }
}

function content() {
  const { failures, head, trials } = model.page
  const n = head.counts.failed ?? 0
  if (!failures.length) return h('p', { class: 'muted' }, 'No attempt failed.')
  const chosen = isFiltered() ? ` ${counted(trials.state.filter((state, row) => state === 'failed' && model.mask[row]).length, 'failed trial')} among the selected (${selectedOf()}).` : ''
  return [
    h('p', { class: 'about' }, `${count(n)} of ${counted(head.n_trials, 'trial')} failed for good (${percent(head.n_trials ? n / head.n_trials : 0)}).${chosen}`),
    h('ul', { class: 'failures' }, failures.map(group)),
  ]
}

function group({ kind, message, n_trials, trials, traceback }) {
  const more = n_trials > trials.length ? ', …' : ''
  return h(
    'li',
    {},
    h('div', {}, h('span', { class: 'kind' }, kind.replaceAll('_', ' ')), ` · ${counted(n_trials, 'trial')}`),
    h('div', {}, message),
    h('div', { class: 'muted' }, 'Trials ', trials.map((trial, place) => [place ? ', ' : '', trialLink(trial)]), more),
    traceback ? h('details', {}, h('summary', {}, 'Traceback'), h('pre', { tabindex: '0' }, traceback)) : null,
  )
}
