// The top of the page: which study, how it stands, and the tools.
import { h, put } from '../dom.js'
import { count, counted, duration, moment } from '../format.js'
import { find, model } from '../model.js'
import { themeButton } from '../theme.js'
import { openTrial } from '../trial/link.js'

const WORDS = { completed: 'completed', infeasible: 'outside the limits', outside: 'outside the space', stopped: 'stopped early', failed: 'failed', running: 'running', paused: 'paused', proposed: 'waiting' }

/** By number to a trial's page, by anything else to the table of those that it finds. */
function goToTrial() {
  const input = h('input', { type: 'search', placeholder: 'Trial or search …', 'aria-label': 'Go to a trial, or search' })
  const go = (event) => {
    event.preventDefault()
    const asked = input.value.trim()
    if (/^\d+$/.test(asked)) openTrial(asked)
    else if (asked) {
      find(asked)
      document.getElementById('trials').scrollIntoView()
    }
    input.value = ''
  }
  return h('form', { class: 'go', onsubmit: go }, input)
}

export function header(tools) {
  const title = h('h1')
  const state = h('span', { class: 'pill' })
  const facts = h('p', { class: 'facts' })
  const element = h('header', {}, title, state, h('div', { class: 'tools' }, goToTrial(), tools, themeButton()), facts)
  const update = () => {
    const { head, made_at: madeAt } = model.page
    title.textContent = head.study
    state.textContent = head.state
    state.dataset.state = head.state
    const goals = head.goals.map(({ metric, goal }) => `${goal} ${metric}`).join(' and ')
    const states = Object.entries(WORDS).filter(([name]) => head.counts[name]).map(([name, word]) => `${count(head.counts[name])} ${word}`)
    put(facts, [counted(head.n_trials, 'trial'), ...states, goals, ...head.limits, `${head.method}${head.schedule === 'full' ? '' : ` with ${head.schedule}`}`, `${duration(head.training_seconds)} of training`, `as of ${moment(madeAt)}`].join(' · '))
  }
  return { element, update }
}
