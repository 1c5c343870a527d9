// How sure are we: each finalist's fresh seeds, with the interval of its mean.
import { axis, canvasFont, ChartCard, fade, grid, tip } from '../chart.js'
import { metric, niceRange, number, percent } from '../format.js'
import { model } from '../model.js'
import { colors } from '../theme.js'
import { question } from './question.js'

export function surenessCard() {
  return new ChartCard({
    id: 'sureness',
    size: 'w4',
    height: 'h190',
    title: () => question('How sure are we?'),
    about: () => model.page.analysis.sureness.sentence,
    trialOf: ({ value }) => [...model.page.analysis.sureness.finalists].reverse()[value?.[1]]?.trial,
    option,
    figures,
  })
}

function option() {
  const { finalists } = model.page.analysis.sureness
  if (!finalists.length) return 'The finalists come when the search has ended.'
  const { accent, muted, best, ink, faint } = colors()
  const shown = [...finalists].reverse()
  const numbers = shown.flatMap((one) => [...one.values, one.low, one.high].filter((value) => value !== null))
  const range = niceRange(Math.min(...numbers), Math.max(...numbers), 4)
  const hue = (one) => (one.role === 'behind' ? faint : one.role === 'winner' ? best : accent)
  return {
    tooltip: { formatter: ({ value }) => describe(shown[value[1]]) },
    grid: grid({ right: 62 }),
    xAxis: axis({ ...range, axisLabel: { formatter: (value) => number(value) } }),
    yAxis: axis({
      type: 'category',
      data: shown.map((one) => `trial ${one.trial}`),
      splitLine: { show: false },
      axisLabel: { color: ink, interval: 0, hideOverlap: false },
    }),
    series: [
      { type: 'custom', silent: true, clip: true, renderItem: interval, data: shown.map((one, place) => [one.low ?? one.estimate, place, one.high ?? one.estimate, fade(hue(one), 0.32)]) },
      { type: 'scatter', symbolSize: 5, itemStyle: { color: muted, opacity: 0.8 }, data: shown.flatMap((one, place) => one.values.map((value) => [value, place])) },
      {
        type: 'scatter',
        symbol: 'diamond',
        symbolSize: 12,
        label: { show: false },
        data: shown.map((one, place) => ({ value: [one.estimate, place], itemStyle: { color: hue(one) } })),
      },
      {
        type: 'custom',
        silent: true,
        clip: false,
        renderItem: (params, api) => ({
          type: 'text',
          style: { text: percent(shown[params.dataIndex].probability_best), x: params.coordSys.x + params.coordSys.width + 8, y: api.coord([range.min, params.dataIndex])[1], fill: muted, font: canvasFont(), verticalAlign: 'middle' },
        }),
        data: shown.map((_, place) => [range.min, place]),
      },
    ],
  }
}

function interval(_, api) {
  const [x1, y] = api.coord([api.value(0), api.value(1)])
  const [x2] = api.coord([api.value(2), api.value(1)])
  return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke: api.ordinalRawValue?.(3) ?? api.value(3), lineWidth: 7, lineCap: 'round' } }
}

function describe(one) {
  const pairs = [
    ['estimate', metric(one.estimate)],
    ['interval', one.low === null ? 'unknown' : `${metric(one.low)} to ${metric(one.high)}`],
    [model.page.analysis.sureness.chance_of, percent(one.probability_best)],
    ['seen by the search', metric(one.search_value)],
    ['seeds', seeds(one)],
  ]
  return tip(`Trial ${one.trial}`, pairs)
}

/** The values, and how many further seeds failed. */
function seeds(one) {
  const values = one.values.map((value) => metric(value)).join(', ')
  return one.n_failed ? `${values} (${one.n_failed} more failed)` : values
}

function figures() {
  return {
    columns: [
      { name: 'trial', numeric: true, isTrial: true },
      { name: 'estimate', numeric: true, text: metric },
      { name: 'low', numeric: true, text: metric },
      { name: 'high', numeric: true, text: metric },
      { name: model.page.analysis.sureness.chance_of, numeric: true, text: percent },
      { name: 'role' },
      { name: 'search saw', numeric: true, text: metric },
      { name: 'seeds' },
    ],
    rows: model.page.analysis.sureness.finalists.map((one) => [
      one.trial, one.estimate, one.low, one.high, one.probability_best, one.role, one.search_value, seeds(one),
    ]),
  }
}
