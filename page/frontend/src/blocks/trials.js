// All trials as a table: found by words and conditions, sorted, paged, with the columns that are wanted.
import { look, lookAll, onAddress, say } from '../address.js'
import { MOST_BESIDE } from '../beside.js'
import { choice, h, put } from '../dom.js'
import { count, duration, metric, number } from '../format.js'
import { find, isFiltered, model, onSelection, rankRows, selectedOf } from '../model.js'
import { messageOf, partsOf } from '../find.js'
import { OUTCOMES, outcomeOf } from '../theme.js'
import { compared, setCompared } from '../trial/compare.js'
import { trialLink } from '../trial/link.js'

const PAGE = 100
const PAUSE = 200 // milliseconds, picked by hand: between two letters of one word

export function trialsCard() {
  const about = h('p', { class: 'about' })
  const problem = h('p', { class: 'error', role: 'alert', hidden: true })
  const field = h('input', { type: 'search', class: 'find', placeholder: 'state:failed lr<=1e-3 optimizer=adamw words', 'aria-label': 'Find trials', 'aria-describedby': 'find-help', spellcheck: 'false' })
  const choices = h('div', { class: 'buttons' })
  const columns = h('details', { class: 'columns' })
  const place = h('div', { class: 'scroll tall', tabindex: '0', role: 'region', 'aria-label': 'Trials' })
  const pager = h('div', { class: 'foot pager' })
  const element = h(
    'section',
    { class: 'card w12', id: 'trials' },
    h('div', { class: 'top' }, h('h3', {}, 'Trials')),
    h('div', { class: 'bar screen' }, field, choices, columns),
    h('p', { class: 'hint screen', id: 'find-help' }, 'A word, a number, or conditions: best: state: kind: tag: message: trial budget seconds, any metric, any parameter, with < <= = != >= >.'),
    problem,
    about,
    place,
    pager,
    h('div', { class: 'foot bar screen', id: 'compare-bar', hidden: true }),
  )
  let waiting = 0
  let first = 0
  field.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(() => find(field.value), PAUSE)
  })
  const draw = () => {
    const shown = columnsShown()
    const rows = sortedRows(shown)
    if (first >= rows.length) first = 0
    put(place, tableOf(shown, rows.slice(first, first + PAGE), (name) => (sortBy(name), (first = 0), draw())))
    put(pager, pages(rows.length, first, (to) => ((first = to), draw(), (place.scrollTop = 0))))
  }
  const update = () => {
    const { trials } = model.page
    if (document.activeElement !== field) field.value = model.query
    problem.hidden = !model.problems.length
    problem.textContent = model.problems.join(' ')
    about.textContent = [isFiltered() ? `The selected trials, ${selectedOf()}, best first.` : 'Trials at the full budget first, best first; a heading sorts.', model.all === trials ? trials.note : ''].filter(Boolean).join(' ')
    put(choices, filterChoices())
    if (!columns.open) put(columns, columnPicker(draw))
    draw()
    if (element.isConnected) compareBar()
  }
  onSelection(() => ((first = 0), update()))
  onAddress(update)
  return { element, update }
}

/** Choices that write into the query what can be written by hand, too. */
function filterChoices() {
  const { all } = model
  const states = [...new Set(all.state)].map((state) => [state, OUTCOMES[outcomeOf(state)].label])
  const kinds = [...new Set(all.failure)].filter(Boolean).map((kind) => [kind, kind.replaceAll('_', ' ')])
  const tags = [...new Set((all.tags ?? []).flat())].sort().map((tag) => [tag, tag])
  const best = [10, 25, 100].filter((k) => k < all.number.length).map((k) => [String(k), String(k)])
  // A choice of one is none, unless it is made already and is to be taken back.
  return [['best', best], ['state', states], ['kind', kinds], ['tag', tags]].filter(([name, options]) => options.length > 1 || isAsked(name) || (name === 'tag' && options.length)).map(([name, options]) => choice(name, [['', 'any'], ...options], asked(name), (value) => find(withCondition(name, value))))
}

const isAsked = (name) => asked(name) !== ''
const asked = (name) => partsOf(model.query).find((part) => part.startsWith(`${name}:`))?.slice(name.length + 1).replace(/^"(.*)"$/, '$1') ?? ''

function withCondition(name, value) {
  const others = partsOf(model.query).filter((part) => !part.startsWith(`${name}:`))
  return [...others, ...(value ? [`${name}:${/\s/.test(value) ? `"${value}"` : value}`] : [])].join(' ')
}

/** Every column there is: its name, how a row's value is read and written. */
function allColumns() {
  const { all } = model
  const { parameters, head } = model.page
  const goals = head.goals.map(({ metric: name }) => name)
  const ofMetric = (name) => ({ name, numeric: true, read: (row) => all.metrics[name]?.[row] ?? null, text: metric })
  return [
    { name: 'compare', isFixed: true, read: (row) => all.number[row], text: compareBox },
    { name: 'trial', numeric: true, isFixed: true, read: (row) => all.number[row], text: (value) => trialLink(value) },
    { name: 'outcome', read: (row) => OUTCOMES[outcomeOf(all.state[row])].label },
    ...goals.map(ofMetric),
    { name: head.fidelity, numeric: true, read: (row) => all.budget[row] },
    { name: 'training time', numeric: true, read: (row) => all.seconds[row], text: duration },
    ...parameters.map(({ name }) => ofParameter(name)),
    ...(all.failure.some(Boolean) ? [{ name: 'failure', read: (row) => all.failure[row].replaceAll('_', ' ') || null }, { name: 'message', isRare: true, read: (row) => messageOf(all, row) || null }] : []),
    ...(all.tags?.some((tags) => tags.length) ? [{ name: 'tags', read: (row) => all.tags[row].join(', ') || null }] : []),
    ...Object.keys(all.metrics).filter((name) => !goals.includes(name)).map((name) => ({ ...ofMetric(name), isRare: true })),
  ]
}

function compareBox(number) {
  const input = h('input', { type: 'checkbox', checked: compared().includes(String(number)), 'aria-label': `Compare trial ${number}`, onchange: () => (setCompared(number, input.checked), compareBar()) })
  return input
}

/** Leads to the page that compares the chosen trials; a word where there are too few or too many. */
function compareBar() {
  const chosen = compared()
  const bar = document.getElementById('compare-bar')
  bar.hidden = !chosen.length
  put(
    bar,
    h('span', {}, `Chosen: trials ${chosen.join(', ')}${chosen.length === MOST_BESIDE ? ` (${MOST_BESIDE} at most)` : ''}`),
    h('button', { type: 'button', disabled: chosen.length < 2, onclick: () => say({ view: 'compare' }, true) }, 'Compare'),
    h('button', { type: 'button', onclick: () => (say({ compare: null }), document.querySelectorAll('#trials td input').forEach((box) => (box.checked = false)), compareBar()) }, 'None'),
  )
}

function ofParameter(name) {
  const scale = model.scales[name]
  const column = model.all.parameters[name]
  const read = (row) => column[row] ?? null
  return scale.isCategory ? { name, isParameter: true, read: (row) => (read(row) === null ? null : scale.text(read(row))) } : { name, isParameter: true, numeric: true, read, text: (value) => scale.text(value) }
}

/** Those that are wanted; with `differ` of the parameters those alone in which the selected trials differ. */
function columnsShown() {
  const [hidden, added] = [new Set(lookAll('hide')), new Set(lookAll('show'))]
  const differs = look('differ') === null ? () => true : (column) => !column.isParameter || isVaried(column)
  return allColumns().filter((column) => column.isFixed || (column.isRare ? added.has(column.name) : !hidden.has(column.name) && differs(column)))
}

function isVaried({ read }) {
  let seen
  return model.all.number.some((_, row) => {
    if (!model.allMask[row]) return false
    const value = read(row)
    if (seen === undefined) seen = value
    return value !== seen
  })
}

function columnPicker(draw) {
  const shown = new Set(columnsShown().map((column) => column.name))
  const box = (label, isOn, change) => {
    const input = h('input', { type: 'checkbox', checked: isOn, onchange: () => (change(input.checked), draw()) })
    return h('label', { class: 'choice' }, input, label)
  }
  const without = (name, key) => lookAll(key).filter((one) => one !== name)
  const toggle = (column) => (isOn) => {
    if (column.isRare) say({ show: isOn ? [...without(column.name, 'show'), column.name] : without(column.name, 'show') })
    else say({ hide: isOn ? without(column.name, 'hide') : [...without(column.name, 'hide'), column.name] })
  }
  return [
    h('summary', {}, 'Columns'),
    h('div', { class: 'picker' }, box('only parameters that differ', look('differ') !== null, (isOn) => say({ differ: isOn ? 1 : null })), allColumns().filter((column) => !column.isFixed).map((column) => box(column.name, shown.has(column.name) || (!column.isRare && !lookAll('hide').includes(column.name)), toggle(column)))),
  ]
}

/** `lr` ascending, `-lr` descending. */
function sortBy(name) {
  say({ sort: look('sort') === name ? `-${name}` : name })
}

let ranked = { of: null, rows: [] }

/** Rows that are selected, in the order of the wanted column; best first where none is. */
function sortedRows(shown) {
  if (ranked.of !== model.all) {
    const best = rankRows(model.all)
    const isRanked = new Uint8Array(model.all.number.length)
    for (const row of best) isRanked[row] = 1
    ranked = { of: model.all, rows: [...best, ...model.all.number.map((_, row) => row).filter((row) => !isRanked[row])] }
  }
  const rows = ranked.rows.filter((row) => model.allMask[row])
  const wanted = look('sort')
  const column = shown.find((one) => one.name === wanted || `-${one.name}` === wanted)
  if (!column) return rows
  const sign = column.name === wanted ? 1 : -1
  const keyed = rows.map((row) => [column.read(row), row])
  keyed.sort(([left], [right]) => (left === null ? 1 : right === null ? -1 : sign * (column.numeric ? left - right : String(left).localeCompare(String(right)))))
  return keyed.map(([, row]) => row)
}

function tableOf(shown, rows, sort) {
  const wanted = look('sort')
  const direction = (name) => (wanted === name ? 'ascending' : wanted === `-${name}` ? 'descending' : 'none')
  const heads = shown.map(({ name, numeric }) => name === 'compare' ? h('th', { scope: 'col' }, h('span', { class: 'offscreen' }, 'Compare')) : h('th', { scope: 'col', class: numeric ? 'n' : null, 'aria-sort': direction(name) }, h('button', { type: 'button', onclick: () => sort(name) }, name)))
  return h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, rows.map((row) => h('tr', {}, shown.map((column) => cell(column, column.read(row)))))))
}

function cell({ numeric, text }, value) {
  const title = typeof value === 'number' && !Number.isInteger(value) ? String(value) : null
  return h('td', { class: numeric ? 'n' : text === compareBox ? 'box' : 'text', title }, value === null ? '–' : text ? text(value) : typeof value === 'number' ? number(value) : value)
}

function pages(n, first, go) {
  if (!n) return h('span', {}, 'No trial is selected.')
  const last = Math.min(n, first + PAGE)
  if (n <= PAGE) return []
  return [
    h('span', { role: 'status' }, `Rows ${count(first + 1)} to ${count(last)} of ${count(n)}`),
    h('button', { type: 'button', disabled: first === 0, onclick: () => go(Math.max(0, first - PAGE)) }, 'Earlier rows'),
    h('button', { type: 'button', disabled: last === n, onclick: () => go(first + PAGE) }, 'Later rows'),
  ]
}
