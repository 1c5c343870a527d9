// Population based training: who was trained in which member's place, and from whom its weights were copied.
import { axis, ChartCard, fade, grid, tip } from '../chart.js'
import { h } from '../dom.js'
import { counted, metric, number } from '../format.js'
import { model, usualRange } from '../model.js'
import { colors, mix, OUTCOMES, outcomeOf } from '../theme.js'
import { countAxis } from '../values.js'

const WORST_INK = 0.35 // share of the accent in the colour of the worst value, as in the style sheet; picked by hand: still to be seen on the card

export function populationCard() {
  const card = new ChartCard({
    id: 'population',
    size: 'w12',
    height: 'h280',
    follows: true,
    title: 'Population',
    about: () => {
      const copies = model.page.population.filter((one) => one.parent !== null).length
      return `Each bar is a trial, in the place of its member; arcs lead from the trials whose weights were copied to their ${counted(copies, 'copy', 'copies')}. The stronger its colour, the better its last ${goal().metric}.`
    },
    legend,
    trialOf: ({ seriesIndex, dataIndex }) => (seriesIndex === 0 ? model.page.population[dataIndex]?.trial : null),
    option,
    figures,
  })
  const update = () => {
    card.element.hidden = !model.page.population.length
    card.update()
  }
  return { element: card.element, update }
}

const goal = () => model.page.head.goals[0]

/** From the best value to the worst that is told apart. */
function ends() {
  const values = model.page.population.map((one) => one.value).filter((value) => value !== null)
  const [low, high] = usualRange(values, goal().goal)
  return goal().goal === 'minimize' ? [low, high] : [high, low]
}

function legend() {
  const [best, worst] = ends()
  return h('div', { class: 'legend' }, h('span', {}, metric(best), h('span', { class: 'ramp population', 'aria-hidden': 'true' }), metric(worst)))
}

function hues() {
  const { accent, card, faint } = colors()
  const [best, worst] = ends()
  const weak = mix(card, accent, WORST_INK)
  // A value that is not known yet is no bad one.
  return ({ value }) => (value === null ? faint : best === worst ? accent : mix(accent, weak, Math.min(1, Math.max(0, (value - best) / (worst - best)))))
}

function option() {
  const { population } = model.page
  if (!population.length) return 'No trial was copied.'
  const { muted } = colors()
  const hue = hues()
  const members = Math.max(...population.map((one) => one.member)) + 1
  const byTrial = new Map(population.map((one) => [one.trial, one]))
  const copies = population.filter((one) => byTrial.has(one.parent))
  const alpha = (trial) => ((model.mask[model.rowOf.get(trial)] ?? 1) ? 1 : 0.12)
  return {
    tooltip: { formatter: ({ seriesIndex, dataIndex }) => (seriesIndex === 0 ? describe(population[dataIndex]) : undefined) },
    grid: grid({ right: 22, bottom: 24 }),
    xAxis: countAxis(Math.max(...population.map((one) => one.end)), { splitLine: { show: false }, name: 'epoch', nameLocation: 'middle', nameGap: 24 }),
    yAxis: axis({ type: 'category', inverse: true, data: Array.from({ length: members }, (_, place) => `member ${place}`), splitLine: { show: false }, axisLabel: { interval: 0, hideOverlap: members > 14 } }),
    series: [
      {
        type: 'custom',
        encode: { x: [0, 1], y: 2 },
        renderItem: ({ dataIndex }, api) => stretch(population[dataIndex], fade(hue(population[dataIndex]), alpha(population[dataIndex].trial)), api),
        data: population.map((one) => [one.begin, one.end, one.member]),
      },
      {
        type: 'custom',
        silent: true,
        z: 3,
        encode: { x: 0, y: 1 },
        renderItem: ({ dataIndex }, api) => arc(byTrial.get(copies[dataIndex].parent), copies[dataIndex], fade(muted, alpha(copies[dataIndex].trial)), api),
        data: copies.map((one) => [one.begin, one.member]),
      },
    ],
  }
}

/** A bar with a gap at its end, so that the next trial of the member is told apart. */
function stretch({ begin, end, member }, fill, api) {
  const [x, y] = api.coord([begin, member])
  const height = Math.min(10, api.size([0, 1])[1] * 0.5)
  const width = Math.max(2, api.coord([end, member])[0] - x - 2)
  return { type: 'rect', shape: { x, y: y - height / 2, width, height, r: Math.min(2, width / 3) }, style: { fill } }
}

/** From the parent's bar to the beginning of the copy's, bent to the left, with a dot where the copy begins. */
function arc(parent, copy, color, api) {
  const [x1, y1] = api.coord([copy.begin, parent.member])
  const [x2, y2] = api.coord([copy.begin, copy.member])
  const bend = Math.min(26, 8 + Math.abs(y2 - y1) / 8)
  return {
    type: 'group',
    children: [
      { type: 'bezierCurve', shape: { x1, y1, x2, y2, cpx1: x1 - bend, cpy1: y1, cpx2: x2 - bend, cpy2: y2 }, style: { stroke: color, lineWidth: 1.2, fill: 'none' } },
      { type: 'circle', shape: { cx: x2, cy: y2, r: 3 }, style: { fill: color } },
    ],
  }
}

function describe({ trial, member, parent, begin, end, state, value, changed }) {
  return tip(`Trial ${trial}, ${OUTCOMES[outcomeOf(state)].label}`, [
    ['member', String(member)],
    ['epochs', `${begin} to ${end}`],
    [goal().metric, metric(value)],
    ...(parent === null ? [] : [['copied from', `trial ${parent}`]]),
    ...changed.map((one) => [one.name, change(one)]),
  ])
}

const change = ({ before, after }) => `${written(before)} → ${written(after)}`

/** Numbers come as text, with all of their digits. */
function written(text) {
  if (text === null) return 'inactive'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? number(Number(text)) : text
}

function figures() {
  return {
    columns: [{ name: 'trial', numeric: true, isTrial: true }, { name: 'member', numeric: true }, { name: 'copied from', numeric: true, isTrial: true }, { name: 'from epoch', numeric: true }, { name: 'to epoch', numeric: true }, { name: 'outcome' }, { name: goal().metric, numeric: true, text: metric }, { name: 'changed' }],
    rows: model.page.population.map((one) => [one.trial, one.member, one.parent, one.begin, one.end, OUTCOMES[outcomeOf(one.state)].label, one.value, one.changed.map((entry) => `${entry.name} ${change(entry)}`).join(', ') || null]),
  }
}
