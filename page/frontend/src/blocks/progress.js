// Progress: each trial by its outcome, and the best so far; trials are compared at one budget only.
import { chosen, look, onAddress, say } from '../address.js'
import { ChartCard, fade, staircase, tip, updateAll } from '../chart.js'
import { h, put, segmented } from '../dom.js'
import { duration, metric } from '../format.js'
import { better, configurationOf, isFiltered, model, selectedOf } from '../model.js'
import { colors, OUTCOMES, outcomeOf } from '../theme.js'
import { beyondNote, countAxis, scaleSwitch, secondsAxis, valueScale } from '../values.js'
import { legend } from './legend.js'

const ACROSS = { number: 'trial', finished: 'running time', spent: 'training time' }

export function progressCard() {
  const rungsOf = () => Object.keys(model.page.trials.rungs).filter((rung) => Number(rung) < model.page.head.full_budget)
  let across = 'number'
  let budget = null // null is the full budget
  const read = () => {
    across = chosen('across', Object.keys(ACROSS))
    const said = chosen('at', rungsOf(), null)
    budget = said === null ? null : Number(said)
  }
  const controls = h('div', { class: 'buttons screen' })
  const card = new ChartCard({
    id: 'progress',
    height: 'h280',
    follows: true,
    zooms: true,
    controls,
    title: 'Progress',
    about: () => `${about(budget)}${beyondNote(scaleOf(across, budget), model.page.head.goals[0].goal)}${isFiltered() ? ` Counts are of the selected trials, ${selectedOf()}.` : ''}`,
    legend: () => legend([...Object.entries(counts()).map(([outcome, n]) => [outcome, undefined, n]), ...(budget === null ? [['line', 'best so far']] : [])]),
    trialOf: ({ value, seriesName }) => (seriesName === 'best so far' ? null : model.page.trials.number[value[2]]),
    option: () => option(across, budget),
    figures: () => figures(across),
  })
  let known = ''
  const choose = (changes) => {
    say(changes)
    update()
  }
  const update = () => {
    read()
    const rungs = rungsOf().map(Number)
    const wanted = [across, budget, look('scale'), ...rungs].join()
    if (known !== wanted) {
      known = wanted
      put(controls, [
        segmented('Across', [['number', 'trial'], ['finished', 'time'], ['spent', 'cost']], across, (value) => choose({ across: value === 'number' ? null : value })),
        rungs.length ? segmented('Compared at', [...rungs.map((rung) => [rung, `at ${rung}`]), [null, 'at the end']], budget, (value) => choose({ at: value })) : [],
        scaleSwitch(updateAll),
      ])
    }
    card.update()
  }
  onAddress(() => update())
  return { element: card.element, update }
}

function about(budget) {
  const { head } = model.page
  if (budget !== null) return `${head.goals[0].metric} of every trial that reached budget ${budget}, coloured by what became of it.`
  const edge = head.goals[0].goal === 'minimize' ? 'top' : 'bottom'
  return `${head.goals[0].metric} at the full budget; trials that were stopped or failed have none and stand at the ${edge} edge. The best so far is what the search saw, among trials that keep the limits and lie in the space.`
}

/** Of all trials, or of those that are selected. */
function counts() {
  const tally = {}
  const states = isFiltered() ? model.page.trials.state.filter((_, row) => model.mask[row]).map((state) => [state, 1]) : Object.entries(model.page.head.counts)
  for (const [state, n] of states) tally[outcomeOf(state)] = (tally[outcomeOf(state)] ?? 0) + n
  return Object.fromEntries(Object.keys(OUTCOMES).filter((outcome) => tally[outcome]).map((outcome) => [outcome, tally[outcome]]))
}

function valueAt(row, budget) {
  const { trials, head } = model.page
  if (budget !== null) return trials.rungs[budget]?.[row] ?? null
  return ['completed', 'infeasible', 'outside'].includes(trials.state[row]) ? (trials.metrics[head.goals[0].metric]?.[row] ?? null) : null
}

function option(across, budget) {
  const { trials, head, best } = model.page
  const [goal] = head.goals
  const palette = colors()
  const rows = rowsOf(across)
  const scale = scaleOf(across, budget)
  if (!scale.n) return 'No selected trial has a value here.'
  const groups = Object.fromEntries(Object.keys(OUTCOMES).map((outcome) => [outcome, []]))
  const outliers = []
  for (const row of rows) {
    const value = valueAt(row, budget)
    if (value === null && budget !== null) continue
    const point = [trials[across][row], value === null ? scale.edge : scale.at(value), row]
    if (value !== null && scale.isBeyond(value)) outliers.push(point)
    else groups[outcomeOf(trials.state[row])].push(point)
  }
  const last = rows.reduce((most, row) => Math.max(most, trials[across][row]), 0)
  return {
    tooltip: { formatter: ({ value, seriesName }) => (seriesName === 'best so far' ? undefined : describe(value[2])) },
    xAxis: across === 'number' ? countAxis(last, named(across)) : secondsAxis(last, named(across)),
    yAxis: scale.axis,
    grid: { left: 4, right: 18, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    series: [
      ...Object.entries(groups).map(([outcome, points]) => scatter(outcome, points, palette)),
      beyond(outliers, goal.goal, palette.muted),
      ...(budget === null ? [bestLine(best, across, last, scale.at, palette.best)] : []),
    ],
  }
}

const named = (across) => ({ splitLine: { show: false }, name: ACROSS[across], nameLocation: 'middle', nameGap: 24 })

const rowsOf = (across) => model.page.trials.number.map((_, row) => row).filter((row) => model.mask[row] && model.page.trials[across][row] !== null)

function scaleOf(across, budget) {
  const values = rowsOf(across).map((row) => valueAt(row, budget)).filter((value) => value !== null)
  return { ...valueScale(values, model.page.head.goals[0].goal), n: values.length }
}

/** What lies beyond the limits, marked at the edge. */
function beyond(points, goal, color) {
  return { name: 'beyond', type: 'scatter', symbol: 'triangle', symbolRotate: goal === 'minimize' ? 0 : 180, symbolSize: 8, clip: false, itemStyle: { color: fade(color, 0.9) }, data: points }
}

function scatter(outcome, points, palette) {
  const { color, symbol, size } = OUTCOMES[outcome]
  const isMany = points.length > 800
  return {
    name: outcome,
    type: 'scatter',
    symbol,
    symbolSize: isMany ? size - 1.5 : size,
    large: points.length > 1500,
    largeThreshold: 1500,
    itemStyle: { color: fade(palette[color], isMany ? 0.4 : 0.6) },
    data: points,
  }
}

function bestLine(best, across, last, at, color) {
  const steps = improvements(best, across).map(([x, value]) => [x, at(value)])
  if (steps.length) steps.push([last, steps[steps.length - 1][1]])
  return { name: 'best so far', ...staircase(steps, color, { width: 2.5 }) }
}

/** By time the best so far only falls; by number a later trial may have ended first, and then stands for both. */
function improvements(best, across) {
  const isBetter = better(model.page.head.goals[0])
  const steps = best.value.map((value, place) => [best[across][place], value]).sort((left, right) => left[0] - right[0])
  return steps.filter(([, value], place) => steps.slice(0, place).every(([, before]) => isBetter(value, before)))
}

function describe(row) {
  const { trials, head } = model.page
  const value = trials.metrics[head.goals[0].metric]?.[row] ?? null
  return tip(`Trial ${trials.number[row]}, ${OUTCOMES[outcomeOf(trials.state[row])].label}`, [
    [value === null ? 'no value' : `${head.goals[0].metric} at ${trials.budget[row]}`, metric(value)],
    ['training time', duration(trials.seconds[row])],
    ...configurationOf(row),
  ])
}

function figures() {
  const { best } = model.page
  return {
    columns: [{ name: 'best trial', numeric: true, isTrial: true }, { name: 'value', numeric: true, text: metric }, { name: 'running time', numeric: true, text: duration }, { name: 'training time of all', numeric: true, text: duration }],
    rows: best.number.map((number, place) => [number, best.value[place], best.finished[place], best.spent[place]]),
  }
}

