// How each hyperparameter affects an objective or the training time: small multiples, most important first.
import { look, onAddress, say } from '../address.js'
import { canvasFont, ChartCard, fade, scaleAxis, tip } from '../chart.js'
import { h, put, segmented } from '../dom.js'
import { duration, metric, percent } from '../format.js'
import { configurationOf, goalOf, model, TRAINING_TIME, valuesOf } from '../model.js'
import { levelScale } from '../scales.js'
import { colors } from '../theme.js'
import { valueScale } from '../values.js'
import { legend } from './legend.js'

const FIRST = 6
const MOST_LEVELS = 12

export function effectsSection() {
  const grid = h('div', { class: 'grid' })
  const heading = h('h2', { id: 'effects' })
  const switches = h('div', { class: 'screen' })
  const more = h('button', { type: 'button', class: 'link', hidden: true })
  const element = h('section', { 'aria-labelledby': 'effects' }, h('div', { class: 'heading' }, heading, switches), grid, more)
  let cards = []
  let isOpen = false
  let shown = ''
  let known = ''
  const current = () => {
    const { effects } = model.page.analysis
    return effects.find((group) => group.metric === look('effect')) ?? effects[0]
  }
  const update = () => {
    const groups = model.page.analysis.effects
    element.hidden = groups.length === 0
    if (element.hidden) return
    const metrics = groups.map((group) => group.metric)
    const wanted = [current().metric, ...metrics].join('\n')
    if (known !== wanted) {
      known = wanted
      put(switches, metrics.length > 1 ? segmented('Effect on', metrics.map((name) => [name, name]), current().metric, (name) => (say({ effect: name }), update())) : [])
    }
    const { metric: name, rows, budget } = current()
    put(heading, `How each hyperparameter affects ${name === TRAINING_TIME ? 'the training time' : name}${budget === null ? '' : ` at budget ${budget}`}`)
    const names = rows.slice(0, isOpen ? undefined : FIRST).map((effect) => effect.parameter)
    more.hidden = rows.length <= FIRST
    more.textContent = isOpen ? `Show the first ${FIRST}` : `Show all ${rows.length} hyperparameters`
    if (shown === names.join('\n')) {
      for (const card of cards) card.update()
      return
    }
    cards.forEach((card) => card.remove())
    cards = names.map((parameter) => effectCard(parameter, current))
    put(grid, cards.map((card) => card.element))
    shown = names.join('\n')
  }
  more.addEventListener('click', () => {
    isOpen = !isOpen
    update()
  })
  onAddress(() => update())
  return { element, update }
}

/** One parameter's card; `group` gives the effects on what was chosen. */
function effectCard(name, group) {
  const effect = () => group().rows.find((one) => one.parameter === name) ?? group().rows[0]
  const parameter = () => model.page.parameters.find((one) => one.name === name)
  return new ChartCard({
    size: 'w4',
    height: 'h190',
    follows: true,
    title: () => [name, h('small', {}, ` ${share(name)}`)],
    about: () => [effect().trend, parameter().condition ? `Active where ${parameter().condition}.` : '', levelsNote(effect())].filter(Boolean).join(' '),
    legend: () => legend([['fit', 'average with interval'], ['best', 'chosen']]),
    trialOf: ({ seriesIndex, value }) => (seriesIndex === 0 ? model.page.trials.number[value[2]] : null),
    option: (width) => option(withFewLevels(effect(), group().metric), group(), width),
    figures: () => figures(effect(), model.scales[name], group().metric),
  })
}

function levelsNote(effect) {
  const isCut = model.scales[effect.parameter].isCategory && effect.at.length > MOST_LEVELS
  return isCut ? `The best ${MOST_LEVELS} of ${effect.at.length} values are drawn; the table has all.` : ''
}

/** Of a parameter with many categories those with the best averages, in the order of their values. */
function withFewLevels(effect, name) {
  const scale = model.scales[effect.parameter]
  if (!levelsNote(effect)) return { effect, scale }
  const sign = goalOf(name).goal === 'maximize' ? -1 : 1
  const places = effect.at.map((_, place) => place).filter((place) => effect.mean[place] !== null)
  const kept = places.sort((left, right) => sign * (effect.mean[left] - effect.mean[right])).slice(0, MOST_LEVELS).sort((left, right) => left - right)
  const pick = (column) => kept.map((place) => column[place])
  const fewer = { ...effect, at: pick(effect.at), mean: pick(effect.mean), low: pick(effect.low), high: pick(effect.high) }
  return { effect: fewer, scale: levelScale(scale, fewer.at) }
}

function share(name) {
  const row = model.page.analysis.knobs.rows.find((one) => one.name === name)
  return row ? `${percent(row.share)}, ${row.verdict}` : ''
}

function option({ effect, scale }, group, place) {
  const { metric: name } = group
  const { accent, muted, best, card, faint } = colors()
  const goal = goalOf(name)
  const values = valuesFor(group)
  const column = model.page.trials.parameters[effect.parameter]
  const band = [...effect.low, ...effect.high].filter((value) => value !== null)
  const up = valueScale([...values.filter((value) => value !== null), ...band], goal.goal, { wanted: 3, share: 0.94, text: name === TRAINING_TIME ? (value) => (value ? duration(value) : '0') : undefined })
  const clamp = up.at
  const fit = { ...effect, mean: effect.mean.map(up.raw), low: effect.low.map(up.raw), high: effect.high.map(up.raw) }
  const width = scale.isCategory ? 0.6 / new Set(effect.at).size : 0
  const points = []
  for (let row = 0; row < values.length; row++) {
    if (!model.mask[row] || values[row] === null || column[row] === null || scale.unit(column[row]) === null) continue
    const spread = scale.isCategory ? (((model.page.trials.number[row] * 7919) % 101) / 101 - 0.5) * width : 0
    points.push([scale.unit(column[row]) + spread, clamp(values[row]), row])
  }
  const chosen = chosenPoint(effect.parameter, scale, group, clamp)
  const large = points.length > 1500
  return {
    tooltip: { formatter: ({ seriesIndex, value }) => (seriesIndex === 0 && value ? describe(value[2], group) : undefined) },
    xAxis: scale.isCategory ? levelAxis(scale, place) : scaleAxis(scale, { pad: 0.03 }),
    yAxis: up.axis,
    series: [
      { type: 'scatter', large, largeThreshold: 1500, symbolSize: points.length > 600 ? 3 : 4, itemStyle: { color: fade(muted, points.length > 600 ? 0.28 : 0.45) }, data: points },
      { type: 'custom', silent: true, clip: true, z: 1, renderItem: gaps(effect, scale, faint), data: [[0, up.edge]] },
      ...(scale.isCategory ? categoryFit(fit, scale, accent, width) : numberFit(fit, scale, accent)),
      { type: 'scatter', silent: true, symbol: 'diamond', symbolSize: 13, z: 6, itemStyle: { color: best, borderColor: card, borderWidth: 1.5, opacity: 1 }, data: chosen },
    ],
  }
}

/** Each level has its own room; a long name is cut, without what all begin with, and none is left out for its neighbour. */
function levelAxis(scale, place) {
  // 60 pixels are the room of the values' axis and the margins; below 24 a name says nothing, and some are left out.
  const room = (place - 60) / scale.ticks.length
  if (room < 24) return scaleAxis(scale, { pad: 0.03 })
  const texts = scale.ticks.map((tick) => tick.text)
  // Seven pixels a letter, as wide as they are at this size.
  const start = Math.max(...texts.map((text) => text.length)) * 7 > room ? sharedStart(texts) : 0
  const ticks = scale.ticks.map((tick) => ({ ...tick, text: start ? `…${tick.text.slice(start)}` : tick.text }))
  return scaleAxis({ ...scale, ticks }, { pad: 0.03, axisLabel: { width: room - 2, overflow: 'truncate', hideOverlap: false } })
}

/** How many letters all texts begin with, where that is worth leaving out; digits stay with their number. */
function sharedStart(texts) {
  let length = 0
  while (texts.every((text) => length < text.length - 1 && text[length] === texts[0][length])) length++
  while (length && /\d/.test(texts[0][length - 1])) length--
  return length > 3 ? length : 0
}

/** The chosen trial: at its answer where that is about this metric, else where it was measured. */
function chosenPoint(parameter, scale, group, clamp) {
  const { answer, trials, head } = model.page
  const row = answer ? model.rowOf.get(answer.trial) : undefined
  const place = row === undefined ? null : scale.unit(trials.parameters[parameter][row])
  const isItsAnswer = group.metric === head.goals[0].metric && group.budget === null
  const value = isItsAnswer ? answer?.value : row === undefined ? null : valuesFor(group)[row]
  return place === null || (value ?? null) === null ? [] : [[place, clamp(value)]]
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

/** What the average is of: trials at the full budget or, where too few reached it, at the rung that was compared. */
function valuesFor({ metric: name, budget }) {
  if (budget === null) return valuesOf(name)
  const { trials, head } = model.page
  return (name === head.goals[0].metric ? trials.rungs[budget] : null) ?? trials.number.map(() => null)
}

function describe(row, group) {
  const { metric: name } = group
  const { trials } = model.page
  return tip(`Trial ${trials.number[row]}`, [[name, written(name)(valuesFor(group)[row])], ...configurationOf(row)])
}

const written = (name) => (name === TRAINING_TIME ? duration : metric)

function figures(effect, scale, name) {
  const text = written(name)
  return {
    columns: [{ name: effect.parameter, numeric: !scale.isCategory }, { name: 'average', numeric: true, text }, { name: 'low', numeric: true, text }, { name: 'high', numeric: true, text }],
    rows: effect.at.map((value, place) => [scale.isCategory ? scale.text(value) : value, effect.mean[place], effect.low[place], effect.high[place]]),
  }
}
