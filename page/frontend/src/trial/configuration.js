// The trial's configuration beside the answer's; what differs is marked, and may stand alone.
import { copyButton, h, put } from '../dom.js'
import { model } from '../model.js'
import { table } from '../table.js'

const FORMS = [['yaml', 'YAML'], ['cli', 'CLI'], ['python', 'Python'], ['json_text', 'JSON']]

export function configurationCard(life) {
  const { answer } = model.page
  const other = answer && answer.trial !== life.number ? answer : null
  const rows = rowsOf(life, other)
  const differing = rows.filter((row) => row[0].differs)
  const place = h('div')
  let isCut = false
  const fill = () => put(place, listed(isCut ? differing : rows, life, other))
  const toggle = h('input', { type: 'checkbox', onchange: () => ((isCut = toggle.checked), fill()) })
  fill()
  return h(
    'section',
    { class: 'card', id: 'trial-configuration' },
    h('div', { class: 'top' }, h('h2', { class: 'h3' }, 'Configuration'), other ? h('label', { class: 'choice' }, toggle, 'only what differs') : null),
    h('p', { class: 'about' }, about(other, differing.length, rows.length)),
    place,
    life.recipe ? h('div', { class: 'buttons', role: 'group', 'aria-label': 'Copy the configuration' }, h('span', { class: 'muted' }, 'Copy as'), FORMS.map(([form, label]) => copyButton(label, () => life.recipe[form]))) : null,
  )
}

function about(other, n, all) {
  if (!model.page.answer) return 'No trial is the answer yet.'
  if (!other) return 'This trial is the answer.'
  return n ? `${n} of ${all} parameters differ from the answer, trial ${other.trial}.` : `The same as the answer, trial ${other.trial}.`
}

function rowsOf(life, other) {
  const theirs = other ? JSON.parse(other.recipe.json_text) : {}
  const names = [...new Set([...Object.keys(life.configuration), ...Object.keys(other ? theirs : {})])]
  return names.map((name) => {
    // Exact values decide, because two may be rounded to one text.
    const differs = other !== null && (life.exact ? JSON.stringify(life.exact[name]) !== JSON.stringify(theirs[name]) : life.configuration[name] !== other.configuration[name])
    return [{ name, differs }, life.configuration[name] ?? null, ...(other ? [other.configuration[name] ?? null] : [])]
  })
}

function listed(rows, life, other) {
  return table({
    label: 'Configuration',
    sortable: false,
    columns: [
      { name: 'parameter', text: ({ name, differs }) => (differs ? h('b', {}, `${name} `, h('span', { class: 'differs' }, 'differs')) : name) },
      { name: `trial ${life.number}` },
      ...(other ? [{ name: `answer, trial ${other.trial}` }] : []),
    ],
    rows,
  })
}
