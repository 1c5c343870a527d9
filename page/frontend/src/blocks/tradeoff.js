// Quality against cost or a second objective, with the trials that nothing beats in both.
import { chosen, onAddress, say } from '../address.js'
import { axis, ChartCard, fade, staircase, tip } from '../chart.js'
import { choice, h, put } from '../dom.js'
import { duration, metric, niceRange, number, percent } from '../format.js'
import { configurationOf, goalValues, model, TRAINING_TIME as TIME, usualRange } from '../model.js'
import { colors } from '../theme.js'
import { legend } from './legend.js'

/** What stands across: a second objective first, else the time of training. */
export function tradeoffCard({ id, title, across }) {
  const controls = h('div', { class: 'screen' })
  const current = () => chosen(id, choices(), across())
  const card = new ChartCard({
    id,
    height: 'h280',
    follows: true,
    controls,
    title,
    about: () => {
      const front = frontOf(points(current()), current())
      const words = `Completed trials by ${current()} and ${model.page.head.goals[0].metric}; the line joins the ${front.length} that no other beats in both.`
      return confirmedFront(current()).length ? `${words} Crosses: the front on fresh seeds, with intervals; the diamond is its knee.` : words
    },
    legend: () => legend([['completed', 'trial'], ['front', 'not beaten'], ...(confirmedFront(current()).length ? [['cross', 'on fresh seeds']] : []), ['best', 'chosen']]),
    trialOf: ({ value }) => model.page.trials.number[value?.[2]],
    option: () => option(current()),
    figures: () => figures(current()),
  })
  let known = ''
  const update = () => {
    const names = choices()
    const wanted = [current(), ...names].join('\n')
    if (known !== wanted) {
      known = wanted
      put(controls, names.length > 1 ? choice('against', names.map((name) => [name, name]), current(), (value) => (say({ [id]: value }), card.update())) : [])
    }
    card.update()
  }
  onAddress(() => update())
  return { element: card.element, update }
}

function choices() {
  const { trials, head } = model.page
  return [TIME, ...Object.keys(trials.metrics).filter((name) => name !== head.goals[0].metric)]
}

function points(across) {
  const { trials, head } = model.page
  const values = goalValues(head.goals[0].metric)
  const column = across === TIME ? trials.seconds : (trials.metrics[across] ?? [])
  return values.flatMap((value, row) => (value === null || !model.mask[row] || (column[row] ?? null) === null ? [] : [[column[row], value, row]]))
}

/** A second objective may be made large; costs are made small. */
function isSmallGood(across) {
  return model.page.head.goals.find((goal) => goal.metric === across)?.goal !== 'maximize'
}

function frontOf(all, across) {
  const sign = model.page.head.goals[0].goal === 'minimize' ? 1 : -1
  const side = across && !isSmallGood(across) ? -1 : 1
  const front = []
  let least = Infinity
  for (const point of [...all].sort((left, right) => side * (left[0] - right[0]) || sign * (left[1] - right[1]))) {
    if (sign * point[1] < least) {
      least = sign * point[1]
      front.push(point)
    }
  }
  return front
}

/** The finalists of the front with their intervals, where a further objective stands across. */
function confirmedFront(across) {
  const { head, analysis } = model.page
  const place = head.goals.findIndex((goal) => goal.metric === across)
  if (place < 1) return []
  return analysis.sureness.front.map((one) => ({
    trial: one.trial,
    isKnee: one.is_knee,
    probability: one.probability,
    x: { value: one.estimates[place], low: one.low[place], high: one.high[place] },
    y: { value: one.estimates[0], low: one.low[0], high: one.high[0] },
  }))
}

function option(across) {
  const all = points(across)
  if (!all.length) return 'No selected trial has both.'
  const palette = colors()
  const { head, answer } = model.page
  const confirmed = confirmedFront(across)
  const range = niceRange(...widened(usualRange(all.map((point) => point[1]), head.goals[0].goal), confirmed.map((one) => one.y)), 4)
  const xRange = niceRange(...widened(usualRange(all.map((point) => point[0]), isSmallGood(across) ? 'minimize' : 'maximize', 0.98), confirmed.map((one) => one.x)), 4)
  const clamp = ([x, y, row]) => [Math.min(xRange.max, Math.max(xRange.min, x)), Math.min(range.max, Math.max(range.min, y)), row]
  const row = answer ? model.rowOf.get(answer.trial) : undefined
  const front = frontOf(all, across).map(clamp)
  return {
    tooltip: { formatter: ({ value }) => describe(value[2], across) },
    xAxis: axis({ ...xRange, splitLine: { show: false }, name: across, nameLocation: 'middle', nameGap: 24, axisLabel: { formatter: across === TIME ? (value) => (value ? duration(value) : '0') : (value) => number(value) } }),
    yAxis: axis({ ...range, axisLabel: { formatter: (value) => number(value) } }),
    grid: { left: 4, right: 22, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    series: [
      { type: 'scatter', large: all.length > 1500, largeThreshold: 1500, symbolSize: all.length > 800 ? 3.5 : 5, itemStyle: { color: fade(palette.accent, all.length > 800 ? 0.35 : 0.5) }, data: all.map(clamp) },
      staircase(front, palette.best, { isAfter: true, width: 2, z: 4 }),
      { type: 'scatter', symbol: 'circle', symbolSize: 6, z: 5, itemStyle: { color: palette.best, opacity: 1 }, data: front },
      ...(confirmed.length ? [crosses(confirmed, palette.ink)] : []),
      { type: 'scatter', symbol: 'diamond', symbolSize: 14, z: 7, silent: true, itemStyle: { color: palette.best, borderColor: palette.card, borderWidth: 1.5, opacity: 1 }, data: chosenPoint(confirmed, all, row).map(clamp) },
    ],
  }
}

/** A range that holds the intervals as well. */
function widened([low, high], spans) {
  const ends = spans.flatMap((one) => [one.value, one.low, one.high]).filter((value) => value !== null)
  return [Math.min(low, ...ends), Math.max(high, ...ends)]
}

/** The winner where its fresh seeds put it, else where the search saw it. */
function chosenPoint(confirmed, all, row) {
  const knee = confirmed.find((one) => one.isKnee)
  return knee ? [[knee.x.value, knee.y.value, row]] : all.filter((point) => point[2] === row)
}

/** Each finalist of the front as its two intervals. */
function crosses(confirmed, color) {
  return {
    type: 'custom',
    silent: true,
    clip: true,
    z: 6,
    renderItem: ({ dataIndex }, api) => {
      const { x, y } = confirmed[dataIndex]
      const [left, middle] = api.coord([x.low ?? x.value, y.value])
      const [right] = api.coord([x.high ?? x.value, y.value])
      const [centre, top] = api.coord([x.value, y.high ?? y.value])
      const bottom = api.coord([x.value, y.low ?? y.value])[1]
      const style = { stroke: color, lineWidth: 1.5 }
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1: left, x2: right, y1: middle, y2: middle }, style },
          { type: 'line', shape: { x1: centre, x2: centre, y1: top, y2: bottom }, style },
        ],
      }
    },
    data: confirmed.map((one) => [one.x.value, one.y.value]),
  }
}

function describe(row, across) {
  const { trials, head } = model.page
  const cost = across === TIME ? duration(trials.seconds[row]) : metric(trials.metrics[across][row])
  return tip(`Trial ${trials.number[row]}`, [[head.goals[0].metric, metric(trials.metrics[head.goals[0].metric][row])], [across, cost], ...configurationOf(row)])
}

/** On fresh seeds where there is such a front, else as the search saw it. */
function figures(across) {
  const { trials, head } = model.page
  const text = across === TIME ? duration : metric
  const [first] = head.goals
  const confirmed = confirmedFront(across)
  const span = ({ low, high }) => (low === null ? '–' : `${metric(low)} to ${metric(high)}`)
  if (confirmed.length)
    return {
      columns: [{ name: 'on the front: trial', numeric: true, isTrial: true }, { name: across, numeric: true, text }, { name: `interval of ${across}` }, { name: first.metric, numeric: true, text: metric }, { name: `interval of ${first.metric}` }, { name: 'P(on the front)', numeric: true, text: percent }],
      rows: confirmed.map((one) => [one.trial, one.x.value, span(one.x), one.y.value, span(one.y), one.probability]),
    }
  return {
    columns: [{ name: 'not beaten: trial', numeric: true, isTrial: true }, { name: across, numeric: true, text }, { name: first.metric, numeric: true, text: metric }],
    rows: frontOf(points(across), across).map(([cost, value, row]) => [trials.number[row], cost, value]),
  }
}
