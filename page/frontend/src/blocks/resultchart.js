// Draws the result of a query: bars over words, points or a line over numbers.
import { axis, ChartCard, fade, tip } from '../chart.js'
import { choice, h, put } from '../dom.js'
import { number } from '../format.js'
import { colors } from '../theme.js'

const MOST_BARS = 60

/** A chart of a grid, with a choice of columns; null where it holds no numbers. */
export function resultChart(grid) {
  const numeric = grid.columns.map((_, place) => place).filter((place) => grid.rows.some((row) => typeof row[place] === 'number'))
  if (!numeric.length || grid.rows.length < 2) return null
  const words = grid.columns.map((_, place) => place).filter((place) => !numeric.includes(place))
  const chosen = { x: words[0] ?? numeric[0], y: numeric.find((place) => place !== (words[0] ?? numeric[0])) ?? numeric[0], form: 'points' }
  const controls = h('div', { class: 'bar' })
  const card = new ChartCard({
    size: 'w12 plain',
    height: 'h280',
    title: 'Chart of the result',
    controls,
    about: () => `${grid.columns[chosen.y]} over ${grid.columns[chosen.x]}.`,
    option: () => option(grid, chosen, numeric.includes(chosen.x)),
    figures: () => ({ columns: [{ name: grid.columns[chosen.x] }, { name: grid.columns[chosen.y], numeric: true }], rows: grid.rows.map((row) => [plain(row[chosen.x]), row[chosen.y]]) }),
  })
  const options = (places) => places.map((place) => [String(place), grid.columns[place]])
  const pick = (part) => (value) => {
    chosen[part] = part === 'form' ? value : Number(value)
    card.update()
  }
  put(controls, [
    choice('across', options(grid.columns.map((_, place) => place)), String(chosen.x), pick('x')),
    choice('up', options(numeric), String(chosen.y), pick('y')),
    words.length ? [] : choice('as', [['points', 'points'], ['line', 'line']], chosen.form, pick('form')),
  ])
  return card
}

function option(grid, { x, y, form }, isNumeric) {
  const { accent } = colors()
  const rows = grid.rows.filter((row) => typeof row[y] === 'number' && (!isNumeric || typeof row[x] === 'number'))
  if (!rows.length) return 'These columns hold no numbers.'
  const yAxis = axis({ scale: isNumeric, axisLabel: { formatter: (value) => number(value) } })
  const describe = (row) => tip(String(plain(row[x])), [[grid.columns[y], number(row[y])]])
  if (!isNumeric) {
    const shown = rows.slice(0, MOST_BARS)
    return {
      tooltip: { formatter: ({ dataIndex }) => describe(shown[dataIndex]) },
      xAxis: axis({ type: 'category', data: shown.map((row) => String(plain(row[x]))), splitLine: { show: false }, axisLabel: { width: 110, overflow: 'truncate' } }),
      yAxis,
      series: [{ type: 'bar', barMaxWidth: 40, itemStyle: { color: accent }, data: shown.map((row) => row[y]) }],
    }
  }
  const points = rows.map((row) => [row[x], row[y]]).sort((left, right) => left[0] - right[0])
  return {
    tooltip: { formatter: ({ value }) => tip(number(value[0]), [[grid.columns[y], number(value[1])]]) },
    xAxis: axis({ scale: true, splitLine: { show: false }, axisLabel: { formatter: (value) => number(value) } }),
    yAxis,
    series: [
      form === 'line'
        ? { type: 'line', symbol: points.length < 60 ? 'circle' : 'none', symbolSize: 5, itemStyle: { color: accent }, lineStyle: { color: accent, width: 2 }, data: points }
        : { type: 'scatter', large: points.length > 2000, symbolSize: points.length > 500 ? 3 : 5, itemStyle: { color: fade(accent, 0.6) }, data: points },
    ],
  }
}

const plain = (value) => (value === null ? '–' : typeof value === 'object' ? JSON.stringify(value) : value)
