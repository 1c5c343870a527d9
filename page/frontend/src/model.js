// The page's data in the forms that the blocks need, and which trials are selected; touches no element.
import { look, lookAll, onAddress, say } from './address.js'
import { compile } from './find.js'
import { count, counted } from './format.js'
import { metricScale, parameterScale } from './scales.js'

// Milliseconds that one task draws for, after which the hand is heard: what the Long Tasks API of browsers calls long.
const TASK = 50

export const TRAINING_TIME = 'training time'

const listeners = new Set()

export const model = {
  page: null,
  /** Row of each trial number among the drawn trials. */
  rowOf: new Map(),
  scales: {},
  axes: [],
  /** Rows of the trials at the full budget, best first. */
  ranked: [],
  /** Axis name to the selected stretch [low, high] of [0, 1]. */
  filters: new Map(),
  /** What the search field asks. */
  query: '',
  /** What of it is not understood, in sentences. */
  problems: [],
  /** Columns of all trials, as far as they are known: the drawn ones until the others have come. */
  all: null,
  /** One number for each of all trials; 1 where it is selected. */
  allMask: new Uint8Array(),
  /** The same of the drawn trials. */
  mask: new Uint8Array(),
  /** How many of all are selected. */
  selected: 0,
}

/** What one step of a budget is called: `epoch`, or the name of another fidelity as it stands in the study. */
export const ofBudget = () => (model.page.head.fidelity === 'epochs' ? 'epoch' : model.page.head.fidelity)

/** When a curve has its values, in words. */
export const alongBudget = () => (ofBudget() === 'epoch' ? 'after each epoch' : `at each amount of ${ofBudget()}`)

/** Take a page, new or newer; the selection stays. */
export function load(page) {
  const others = page.everything ?? (page.trials.n_total > page.trials.number.length ? everything : null)
  model.page = page
  model.all = others ?? page.trials
  model.rowOf = new Map(page.trials.number.map((number, row) => [number, row]))
  model.scales = Object.fromEntries(page.parameters.map((parameter) => [parameter.name, parameterScale(parameter)]))
  model.axes = makeAxes()
  model.ranked = rankRows()
  readAddress()
  applyFilters()
}

/** All trials of a study of which only some are drawn, once they have come. */
export function loadAll(trials) {
  everything = trials
  model.all = trials
  changed()
}

let everything = null

/** What is selected stands in the address. */
function readAddress() {
  model.query = look('q') ?? ''
  model.filters = new Map(lookAll('brush').map(readBrush).filter(([name]) => model.axes.some((axis) => axis.name === name)))
}

/** `lr:0.25:0.5`, a name and a stretch of its axis; the name may hold colons. */
function readBrush(text) {
  const [, name, low, high] = text.match(/^(.*):(-?[\d.]+):(-?[\d.]+)$/) ?? []
  return [name, [Number(low), Number(high)]]
}

function sayAddress() {
  say({ q: model.query, brush: [...model.filters].map(([name, [low, high]]) => `${name}:${Number(low.toFixed(4))}:${Number(high.toFixed(4))}`) })
}

onAddress(() => {
  if (!model.page) return
  const before = JSON.stringify([model.query, [...model.filters]])
  readAddress()
  if (before !== JSON.stringify([model.query, [...model.filters]])) changed()
})

/** Call when the selection changes; returns how to stop it. */
export function onSelection(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Select a stretch of an axis; null for all of it. */
export function filter(name, stretch) {
  if (stretch) model.filters.set(name, stretch)
  else model.filters.delete(name)
  sayAddress()
  changed()
}

/** Select what a query asks for. */
export function find(query) {
  model.query = query
  sayAddress()
  changed()
}

export function clearFilters() {
  model.filters.clear()
  find('')
}

function changed() {
  applyFilters()
  // In tasks of a few views each: a newer selection takes the place of what has not been drawn yet, and the browser does
  // not paint the whole page after every single view.
  const turn = ++latest
  const waiting = [...listeners]
  const start = performance.now()
  const next = () => {
    if (turn !== latest) return
    const until = performance.now() + TASK
    while (waiting.length && performance.now() < until) waiting.shift()()
    if (waiting.length) setTimeout(next)
    else performance.measure('selection', { start })
  }
  next()
}

let latest = 0

function applyFilters() {
  model.allMask = maskOf(model.all)
  model.mask = model.all === model.page.trials ? model.allMask : maskOf(model.page.trials)
  model.selected = model.allMask.reduce((sum, one) => sum + one, 0)
}

function maskOf(trials) {
  const rows = trials.number.length
  const mask = new Uint8Array(rows).fill(1)
  for (const [name, [low, high]] of model.filters) {
    const at = placesOf(model.axes.find((one) => one.name === name), trials)
    // A comparison with NaN, which stands for an inactive parameter, is never true.
    for (let row = 0; row < rows; row++) if (!(at[row] >= low && at[row] <= high)) mask[row] = 0
  }
  const { test, problems } = compile(model.query, trials, model.page, () => rankRows(trials))
  model.problems = problems
  if (model.query) for (let row = 0; row < rows; row++) if (mask[row] && !test(row)) mask[row] = 0
  return mask
}

/** Where trials stand on an axis; kept, because a brush that is dragged asks again and again. */
function placesOf(axis, trials) {
  if (trials === model.page.trials) return axis.at
  if (axis.others?.trials !== trials) axis.others = { trials, at: places(axis.scale, axis.isObjective ? goalValues(axis.name, trials) : trials.parameters[axis.name]) }
  return axis.others.at
}

export function isFiltered() {
  return model.filters.size > 0 || model.query.trim() !== ''
}

/** How many trials are selected, and of which: of more trials than are drawn, a filter sees the drawn ones alone. */
export function selectedOf() {
  const [drawn, all] = [model.allMask.length, model.page.trials.n_total]
  const whole = drawn === all ? counted(all, 'trial') : `the ${count(drawn)} drawn trials (${count(all)} in all)`
  return `${count(model.selected)} of ${whole}`
}

const places = (scale, column) => Float64Array.from(column, (value) => (value === null || value === undefined ? NaN : scale.unit(value)))

/** Every axis that can be filtered: the parameters, then the objectives; `at` holds each trial's place, NaN for none. */
function makeAxes() {
  const { page, scales } = model
  const parameters = page.parameters.map(({ name, condition }) => ({ name, scale: scales[name], at: places(scales[name], page.trials.parameters[name]), condition }))
  const objectives = page.head.goals.map((goal) => {
    const values = goalValues(goal.metric)
    const scale = metricScale(...usualRange(values.filter((value) => value !== null), goal.goal))
    return { name: goal.metric, scale, at: places(scale, values), isObjective: true, condition: '' }
  })
  return [...parameters, ...objectives]
}

/** Rows of the trials at the full budget, best first. */
export function rankRows(trials = model.page.trials) {
  const goal = model.page.head.goals[0]
  const values = goalValues(goal.metric, trials)
  const sign = goal.goal === 'minimize' ? 1 : -1
  const rows = values.map((_, row) => row).filter((row) => values[row] !== null)
  return rows.sort((left, right) => sign * (values[left] - values[right]))
}

/** An objective's values of trials at the full budget; null for the others, which cannot be compared with them. */
export function goalValues(metric, trials = model.page.trials) {
  const column = trials.metrics[metric] ?? []
  return trials.state.map((state, row) => (state === 'completed' ? (column[row] ?? null) : null))
}

/** A metric's or the training time's values of trials at the full budget; null for the others. */
export function valuesOf(name) {
  if (name !== TRAINING_TIME) return goalValues(name)
  const { state, seconds } = model.page.trials
  return state.map((one, row) => (one === 'completed' ? seconds[row] : null))
}

/** The objective of that metric; what is no objective costs something, and is made small. */
export function goalOf(name) {
  return model.page.head.goals.find((goal) => goal.metric === name) ?? { metric: name, goal: 'minimize' }
}

/** The last values within three times the middle half (Tukey's outer fences, 1977): one loss of 1e8 hides no other. */
function fences(sorted, at) {
  const reach = 3 * (at(0.75) - at(0.25))
  if (sorted.length < 5 || !(reach > 0)) return [sorted[0], sorted[sorted.length - 1]]
  const within = sorted.filter((value) => value >= at(0.25) - reach && value <= at(0.75) + reach)
  return [within[0], within[within.length - 1]]
}

/** Ends that hold most values; the far tail on the bad side is left out. */
export function usualRange(values, goal, share = 0.96) {
  if (!values.length) return [0, 1]
  const sorted = Float64Array.from(values).sort()
  const at = (quantile) => sorted[Math.round(quantile * (sorted.length - 1))]
  const [low, high] = [sorted[0], sorted[sorted.length - 1]]
  if (share === 1) return [low, high]
  const [lower, upper] = fences(sorted, at)
  if (sorted.length < 20) return goal === 'minimize' ? [low, upper] : [lower, high]
  return goal === 'minimize' ? [low, Math.min(upper, Math.max(at(share), at(0.5) + (at(0.5) - low)))] : [Math.max(lower, Math.min(at(1 - share), at(0.5) - (high - at(0.5)))), high]
}

/** The configuration of a drawn trial as texts. */
export function configurationOf(row) {
  const { page, scales } = model
  return page.parameters.flatMap(({ name }) => {
    const value = page.trials.parameters[name][row]
    return value === null ? [] : [[name, scales[name].text(value)]]
  })
}

/** Better means smaller or larger. */
export function better(goal) {
  return goal.goal === 'minimize' ? (left, right) => left < right : (left, right) => left > right
}

/** What stands where the analysis shows nothing: that depends on whether it has looked. */
export function absence(nothing) {
  const { state, note } = model.page.analysis
  return { computing: 'Being computed from the trials so far.', failed: note }[state] ?? nothing
}
