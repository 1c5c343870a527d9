// Stop, extend and retry, where the host was started with --allow-control; else nothing is shown.
import { h, put } from '../dom.js'
import { ask } from '../live.js'
import { model } from '../model.js'

/** @param isAllowed what the host says of itself */
export function controlCard(isAllowed) {
  const element = h('section', { class: 'card w12', id: 'control', hidden: !isAllowed })
  const said = h('p', { class: 'muted', role: 'status' })
  const budget = h('input', { type: 'number', min: 1, 'aria-label': 'Trials of the budget', size: 8 })
  const wish = (action, question, more = () => ({})) =>
    h('button', {
      type: 'button',
      onclick: async () => {
        if (question && !confirm(question)) return
        said.textContent = 'Asking …'
        try {
          said.textContent = (await ask('./api/control', { study: model.page.head.study, action, ...more() })).said
        } catch (error) {
          said.textContent = error.message
        }
      },
    }, { stop: 'Stop', extend: 'Extend to', retry: 'Retry what failed' }[action])
  put(
    element,
    h('div', { class: 'top' }, h('h3', {}, 'Control')),
    h('div', { class: 'bar' }, wish('stop', 'Stop the study? Running trials finish.'), wish('retry', 'Give every failed trial a further attempt?'), wish('extend', null, () => ({ trials: Number(budget.value) || null })), budget, h('span', { class: 'muted' }, 'trials')),
    said,
  )
  const update = () => {
    if (!budget.value) budget.value = model.page.head.n_trials * 2
  }
  return { element, update }
}
