// What should I run: the configuration with its value, ready to be copied.
import { copyButton, h, put } from '../dom.js'
import { count, counted, metric } from '../format.js'
import { model } from '../model.js'
import { trialLink } from '../trial/link.js'

const FORMS = [
  ['yaml', 'YAML'],
  ['cli', 'CLI'],
  ['python', 'Python'],
  ['json_text', 'JSON'],
]

export function answerCard() {
  const element = h('section', { class: 'card w4 answer', id: 'answer' })
  return { element, update: () => put(element, content()) }
}

function content() {
  const { answer, head } = model.page
  const ask = h('h2', { class: 'ask bare' }, 'What should I run?')
  if (!answer) return [ask, h('p', { class: 'muted' }, `No trial has reached the full budget of ${head.full_budget} yet.`), sharedError()]
  return [
    ask,
    h('div', { class: 'value' }, h('span', { class: 'big' }, big(answer)), h('span', { class: 'muted' }, rest(answer))),
    h('p', { class: 'muted' }, `${head.goals[0].metric} of `, trialLink(answer.trial, `trial ${answer.trial}`), answer.seeds ? `, ${answer.seeds}` : ''),
    ...Object.entries(answer.further).map(([name, text]) => h('p', {}, h('b', {}, text), h('span', { class: 'muted' }, ` ${name}`))),
    h('dl', { class: 'configuration mono', tabindex: '0', 'aria-label': 'Configuration' }, Object.entries(answer.configuration).map(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])),
    h('div', { class: 'buttons', role: 'group', 'aria-label': 'Copy the configuration' }, h('span', { class: 'muted' }, 'Copy as'), FORMS.map(([form, label]) => copyButton(label, () => answer.recipe[form]))),
    h('ul', { class: 'facts-list muted' }, facts(answer).map((fact) => h('li', {}, fact))),
  ]
}

/** What most trials failed of, where nothing came through: that is what a reader came for. */
function sharedError() {
  const { failures, head } = model.page
  if (!failures.length) return null
  const [first] = failures
  return [
    h('p', { class: 'error' }, `${first.kind.replaceAll('_', ' ')}: ${first.message}`),
    h('p', { class: 'muted' }, `So ended ${count(first.n_trials)} of ${counted(head.n_trials, 'trial')}, such as `, trialLink(first.trials[0], `trial ${first.trials[0]}`), '.'),
    first.traceback ? h('details', {}, h('summary', {}, 'Traceback'), h('pre', { tabindex: '0' }, first.traceback)) : null,
  ]
}

const big = (answer) => answer.text.split(' ')[0]
const rest = (answer) => answer.text.split(' ').slice(1).join(' ')

function facts(answer) {
  const tests = Object.entries(answer.test_metrics).map(([name, value]) => `${name} ${metric(value)}`)
  return [
    answer.reason,
    answer.baseline,
    tests.length ? `On held-out data, measured once: ${tests.join(', ')}.` : null,
    answer.kind === 'selected' && answer.search_value !== null ? `The search saw ${metric(answer.search_value)}.` : null,
    answer.checkpoint ? `Checkpoint, in the store: ${answer.checkpoint}` : null,
  ].filter(Boolean)
}
