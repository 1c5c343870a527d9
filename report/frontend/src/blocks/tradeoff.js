// Quality against cost or a second objective, with the trials that nothing beats in both.
import { axis, ChartCard, fade, staircase, tip } from '../chart.js'
import { choice, h, put } from '../dom.js'
import { duration, metric, niceRange, number } from '../format.js'
import { configurationOf, goalValues, model, usualRange } from '../model.js'
import { colors } from '../theme.js'
import { legend } from './legend.js'

const TIME = 'training time'

/** What stands across: a second objective first, else the time of training. */
export function tradeoffCard({ id, title, across }) {
  let chosen = null
  const controls = h('div', { class: 'screen' })
  const current = () => chosen ?? across()
  const card = new ChartCard({
    id,
    height: 'h280',
    follows: true,
    controls,
    title,
    about: () => {
      const front = frontOf(points(current()), current())
      return `Completed trials by ${current()} and ${model.page.head.goals[0].metric}; the line joins the ${front.length} that no other beats in both.`
    },
    legend: () => legend([['completed', 'trial'], ['front', 'not beaten'], ['best', 'chosen']]),
    option: () => option(current()),
    figures: () => figures(current()),
  })
  let known = ''
  const update = () => {
    const names = choices()
    if (known !== names.join('\n')) {
      known = names.join('\n')
      put(controls, names.length > 1 ? choice('against', names.map((name) => [name, name]), current(), (value) => ((chosen = value), card.update())) : [])
    }
    card.update()
  }
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

function option(across) {
  const all = points(across)
  if (!all.length) return 'No selected trial has both.'
  const palette = colors()
  const { head, answer } = model.page
  const range = niceRange(...usualRange(all.map((point) => point[1]), head.goals[0].goal), 4)
  const xRange = niceRange(...usualRange(all.map((point) => point[0]), isSmallGood(across) ? 'minimize' : 'maximize', 0.98), 4)
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
      { type: 'scatter', symbol: 'diamond', symbolSize: 14, z: 6, itemStyle: { color: palette.best, borderColor: palette.card, borderWidth: 1.5, opacity: 1 }, data: all.filter((point) => point[2] === row).map(clamp) },
    ],
  }
}

function describe(row, across) {
  const { trials, head } = model.page
  const cost = across === TIME ? duration(trials.seconds[row]) : metric(trials.metrics[across][row])
  return tip(`Trial ${trials.number[row]}`, [[head.goals[0].metric, metric(trials.metrics[head.goals[0].metric][row])], [across, cost], ...configurationOf(row)])
}

function figures(across) {
  const { trials, head } = model.page
  return {
    columns: [{ name: 'not beaten: trial', numeric: true }, { name: across, numeric: true, text: across === TIME ? duration : metric }, { name: head.goals[0].metric, numeric: true, text: metric }],
    rows: frontOf(points(across), across).map(([cost, value, row]) => [trials.number[row], cost, value]),
  }
}
