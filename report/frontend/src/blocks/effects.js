// How each hyperparameter affects the objective: small multiples, most important first.
import { axis, canvasFont, ChartCard, fade, scaleAxis, tip } from '../chart.js'
import { h, put } from '../dom.js'
import { metric, niceRange, number, percent } from '../format.js'
import { configurationOf, goalValues, model, usualRange } from '../model.js'
import { colors } from '../theme.js'
import { legend } from './legend.js'

const FIRST = 6

export function effectsSection() {
  const grid = h('div', { class: 'grid' })
  const heading = h('h2', { id: 'effects' })
  const more = h('button', { type: 'button', class: 'link', hidden: true })
  const element = h('section', { 'aria-labelledby': 'effects' }, heading, grid, more)
  let cards = []
  let isOpen = false
  let shown = ''
  const update = () => {
    const { effects } = model.page.analysis
    element.hidden = effects.length === 0
    put(heading, `How each hyperparameter affects ${model.page.head.goals[0].metric}`)
    const names = effects.slice(0, isOpen ? undefined : FIRST).map((effect) => effect.parameter)
    more.hidden = effects.length <= FIRST
    more.textContent = isOpen ? `Show the first ${FIRST}` : `Show all ${effects.length} hyperparameters`
    if (shown === names.join('\n')) return cards.forEach((card) => card.update())
    cards.forEach((card) => card.remove())
    cards = names.map(effectCard)
    put(grid, cards.map((card) => card.element))
    shown = names.join('\n')
  }
  more.addEventListener('click', () => {
    isOpen = !isOpen
    update()
  })
  return { element, update }
}

function effectCard(name) {
  const effect = () => model.page.analysis.effects.find((one) => one.parameter === name)
  const parameter = () => model.page.parameters.find((one) => one.name === name)
  return new ChartCard({
    size: 'w4',
    height: 'h190',
    follows: true,
    title: () => [name, h('small', {}, ` ${share(name)}`)],
    about: () => [effect().trend, parameter().condition ? `Active where ${parameter().condition}.` : ''].filter(Boolean).join(' '),
    legend: () => legend([['fit', 'average with interval'], ['best', 'chosen']]),
    option: () => option(effect(), model.scales[name]),
    figures: () => figures(effect(), model.scales[name]),
  })
}

function share(name) {
  const row = model.page.analysis.knobs.rows.find((one) => one.name === name)
  return row ? percent(row.share) : ''
}

function option(effect, scale) {
  const { accent, muted, best, card, faint } = colors()
  const goal = model.page.head.goals[0]
  const values = goalValues(goal.metric)
  const column = model.page.trials.parameters[effect.parameter]
  const band = [...effect.low, ...effect.high].filter((value) => value !== null)
  const [low, high] = usualRange([...values.filter((value) => value !== null), ...band], goal.goal, 0.94)
  const range = niceRange(low, high, 3)
  const clamp = (value) => Math.min(range.max, Math.max(range.min, value))
  const width = scale.isCategory ? 0.6 / new Set(effect.at).size : 0
  const points = []
  for (let row = 0; row < values.length; row++) {
    if (!model.mask[row] || values[row] === null || column[row] === null) continue
    const spread = scale.isCategory ? (((model.page.trials.number[row] * 7919) % 101) / 101 - 0.5) * width : 0
    points.push([scale.unit(column[row]) + spread, clamp(values[row]), row])
  }
  const chosen = chosenPoint(effect.parameter, scale, clamp)
  const large = points.length > 1500
  return {
    tooltip: { formatter: ({ seriesIndex, value }) => (seriesIndex === 0 && value ? describe(value[2]) : undefined) },
    xAxis: scaleAxis(scale, { pad: 0.03 }),
    yAxis: axis({ ...range, axisLabel: { formatter: (value) => number(value) } }),
    series: [
      { type: 'scatter', large, largeThreshold: 1500, symbolSize: points.length > 600 ? 3 : 4, itemStyle: { color: fade(muted, points.length > 600 ? 0.28 : 0.45) }, data: points },
      { type: 'custom', silent: true, clip: true, z: 1, renderItem: gaps(effect, scale, faint), data: [[0, range.min]] },
      ...(scale.isCategory ? categoryFit(effect, scale, accent, width) : numberFit(effect, scale, accent)),
      { type: 'scatter', silent: true, symbol: 'diamond', symbolSize: 13, z: 6, itemStyle: { color: best, borderColor: card, borderWidth: 1.5, opacity: 1 }, data: chosen },
    ],
  }
}

function chosenPoint(name, scale, clamp) {
  const { answer, trials } = model.page
  const row = answer ? model.rowOf.get(answer.trial) : undefined
  const value = row === undefined ? null : trials.parameters[name][row]
  return value === null ? [] : [[scale.unit(value), clamp(answer.value)]]
}

/** Bounds of the range as thin lines, and stretches without data. */
function gaps(effect, scale, color) {
  const at = effect.at.map(scale.unit)
  const empty = []
  effect.mean.forEach((mean, place) => {
    if (mean !== null || scale.isCategory) return
    const from = place ? (at[place - 1] + at[place]) / 2 : 0
    const to = place < at.length - 1 ? (at[place] + at[place + 1]) / 2 : 1
    const last = empty[empty.length - 1]
    if (last && Math.abs(last[1] - from) < 1e-9) last[1] = to
    else empty.push([from, to])
  })
  return (params, api) => {
    const { y, height } = params.coordSys
    const x = (unit) => api.coord([unit, api.value(1)])[0]
    const bounds = scale.isCategory ? [] : [0, 1]
    return {
      type: 'group',
      children: [
        ...bounds.map((unit) => ({ type: 'line', shape: { x1: x(unit), x2: x(unit), y1: y, y2: y + height }, style: { stroke: fade(color, 0.7), lineWidth: 1, lineDash: [2, 3] } })),
        ...empty.flatMap(([from, to]) => [
          { type: 'rect', shape: { x: x(from), y, width: x(to) - x(from), height }, style: { fill: fade(color, 0.14) } },
          ...(x(to) - x(from) > 46 ? [{ type: 'text', style: { text: 'no data', x: (x(from) + x(to)) / 2, y: y + 10, fill: color, font: canvasFont(), align: 'center' } }] : []),
        ]),
      ],
    }
  }
}

function numberFit(effect, scale, color) {
  const at = effect.at.map(scale.unit)
  const order = at.map((_, place) => place).sort((left, right) => at[left] - at[right])
  const stretches = [[]]
  for (const place of order) {
    if (effect.mean[place] === null) stretches.push([])
    else stretches[stretches.length - 1].push(place)
  }
  const drawn = stretches.filter((stretch) => stretch.length)
  return [
    {
      type: 'custom',
      silent: true,
      clip: true,
      z: 3,
      renderItem: ({ dataIndex }, api) => ({
        type: 'polygon',
        shape: {
          points: [
            ...drawn[dataIndex].map((place) => api.coord([at[place], effect.high[place]])),
            ...[...drawn[dataIndex]].reverse().map((place) => api.coord([at[place], effect.low[place]])),
          ],
        },
        style: { fill: fade(color, 0.22) },
      }),
      data: drawn.map((stretch) => [at[stretch[0]], effect.mean[stretch[0]]]),
    },
    { type: 'line', silent: true, symbol: 'none', z: 4, lineStyle: { color, width: 2.2 }, data: order.map((place) => [at[place], effect.mean[place]]) },
  ]
}

function categoryFit(effect, scale, color, width) {
  return [
    {
      type: 'custom',
      silent: true,
      clip: true,
      z: 4,
      renderItem: ({ dataIndex }, api) => {
        const at = scale.unit(effect.at[dataIndex])
        const mean = effect.mean[dataIndex]
        if (mean === null) {
          const [x, y] = api.coord([at, api.value(1)])
          return { type: 'text', style: { text: 'no data', x, y: y - 20, fill: color, font: canvasFont(), align: 'center' } }
        }
        const [left, middle] = api.coord([at - width / 2, mean])
        const [right] = api.coord([at + width / 2, mean])
        const top = api.coord([at, effect.high[dataIndex]])[1]
        const bottom = api.coord([at, effect.low[dataIndex]])[1]
        return {
          type: 'group',
          children: [
            { type: 'rect', shape: { x: left, y: Math.min(top, bottom), width: right - left, height: Math.abs(bottom - top) }, style: { fill: fade(color, 0.22) } },
            { type: 'line', shape: { x1: left, x2: right, y1: middle, y2: middle }, style: { stroke: color, lineWidth: 2.5 } },
          ],
        }
      },
      data: effect.at.map((position, place) => [scale.unit(position), effect.mean[place] ?? 0]),
    },
  ]
}

function describe(row) {
  const { trials, head } = model.page
  return tip(`Trial ${trials.number[row]}`, [[head.goals[0].metric, metric(trials.metrics[head.goals[0].metric][row])], ...configurationOf(row)])
}

function figures(effect, scale) {
  return {
    columns: [{ name: effect.parameter, numeric: !scale.isCategory }, { name: 'average', numeric: true, text: metric }, { name: 'low', numeric: true, text: metric }, { name: 'high', numeric: true, text: metric }],
    rows: effect.at.map((value, place) => [scale.isCategory ? scale.text(value) : value, effect.mean[place], effect.low[place], effect.high[place]]),
  }
}
