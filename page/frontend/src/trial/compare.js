// Some trials beside each other: what differs among them, what each reached, and their learning curves in one chart.
import { lookAll, say } from '../address.js'
import { differingCard, lineLegend, MOST_BESIDE } from '../beside.js'
import { axis, ChartCard } from '../chart.js'
import { h } from '../dom.js'
import { duration, metric } from '../format.js'
import { alongBudget, model, ofBudget } from '../model.js'
import { table } from '../table.js'
import { colors, OUTCOMES, outcomeOf, SERIES } from '../theme.js'
import { valueScale } from '../values.js'
import { backLink, trialLink } from './link.js'

/** Numbers of the trials that are chosen to be compared. */
export function compared() {
  return [...new Set(lookAll('compare'))].slice(0, MOST_BESIDE)
}

/** Choose a trial to be compared, or not any more. */
export function setCompared(number, isOn) {
  const others = compared().filter((one) => one !== String(number))
  say({ compare: isOn ? [...others, String(number)] : others })
}

/** @returns {element, remove} */
export function compareView(lives) {
  const curves = lives.some((life) => curveOf(life)) ? curvesCard(lives) : null
  return {
    element: h(
      'div',
      {},
      h('header', {}, backLink({ view: null }), h('h1', { tabindex: '-1' }, `Trials ${lives.map((life) => life.number).join(', ')}`)),
      h('div', { class: 'grid' }, parametersCard(lives), curves?.element, reachedCard(lives)),
    ),
    remove: () => curves?.remove(),
  }
}

function parametersCard(lives) {
  const names = [...new Set(lives.flatMap((life) => Object.keys(life.configuration)))]
  // Exact values decide, because two may be rounded to one text.
  const rows = names.map((name) => ({ name, texts: lives.map((life) => life.configuration[name] ?? null), keys: lives.map((life) => (life.exact ?? life.configuration)[name]) }))
  return differingCard({ id: 'compare-parameters', title: 'Parameters', heads: lives.map((life) => `trial ${life.number}`), rows, noun: ['parameter', 'parameters'] })
}

function reachedCard(lives) {
  const { head, analysis } = model.page
  const finalist = (life) => analysis.sureness.finalists.find((one) => one.trial === life.number)
  const span = (one) => (!one ? null : one.low === null ? metric(one.estimate) : `${metric(one.estimate)} (${metric(one.low)} to ${metric(one.high)})`)
  const metrics = [...new Set([...head.goals.map((goal) => goal.metric), ...lives.flatMap((life) => Object.keys(life.metrics))])]
  const lines = [
    ['outcome', (life) => OUTCOMES[outcomeOf(life.state)].label],
    ['budget', (life) => String(life.budget)],
    ['training time', (life) => duration(life.seconds)],
    ...metrics.map((name) => [name, (life) => (name in life.metrics ? metric(life.metrics[name]) : null)]),
    ['on fresh seeds, with interval', (life) => span(finalist(life))],
  ].filter(([, read]) => lives.some((life) => read(life) !== null))
  return h(
    'section',
    { class: 'card w12', id: 'compare-reached' },
    h('div', { class: 'top' }, h('h2', { class: 'h3' }, 'What each reached')),
    table({ label: 'What each reached', sortable: false, columns: [{ name: 'measured' }, ...lives.map((life) => ({ name: `trial ${life.number}` }))], rows: lines.map(([name, read]) => [name, ...lives.map(read)]) }),
    h('p', { class: 'muted' }, 'Open ', lives.map((life, place) => [place ? ', ' : '', trialLink(life.number, `trial ${life.number}`)]), '.'),
  )
}

/** The curve of the first objective, of the search, on the first fold that has one. */
function curveOf(life) {
  const { metric: name } = model.page.head.goals[0]
  return (life.curves ?? []).find((one) => one.metric === name && one.replicate === null)
}

function curvesCard(lives) {
  const drawn = lives.map((life) => [life, curveOf(life)]).filter(([, curve]) => curve)
  return new ChartCard({
    id: 'compare-curves',
    height: 'h280',
    zooms: true,
    title: 'Learning curves',
    about: () => `${model.page.head.goals[0].metric} ${alongBudget()} of the search, on the first fold.`,
    legend: () => lineLegend(drawn.map(([life]) => `trial ${life.number}`)),
    option: () => option(drawn),
    figures: () => ({
      columns: [{ name: 'trial', numeric: true, isTrial: true }, { name: ofBudget(), numeric: true }, { name: 'value', numeric: true, text: metric }],
      rows: drawn.flatMap(([life, curve]) => curve.steps.map((step, place) => [life.number, step, curve.values[place]])),
    }),
  })
}

function option(drawn) {
  const palette = colors()
  const scale = valueScale(drawn.flatMap(([, curve]) => curve.values), 'minimize', { share: 1 })
  const steps = drawn.flatMap(([, curve]) => curve.steps)
  return {
    tooltip: { show: false },
    grid: { left: 4, right: 18, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: axis({ min: Math.min(...steps), max: Math.max(...steps), minInterval: 1, splitLine: { show: false }, name: ofBudget(), nameLocation: 'middle', nameGap: 24 }),
    yAxis: scale.axis,
    series: drawn.map(([, curve], place) => ({
      type: 'line',
      silent: true,
      symbol: curve.steps.length === 1 ? 'circle' : 'none',
      itemStyle: { color: palette[SERIES[place].color] },
      lineStyle: { color: palette[SERIES[place].color], width: 2, type: SERIES[place].dash.length ? SERIES[place].dash : 'solid' },
      data: curve.steps.map((step, at) => [step, scale.at(curve.values[at])]),
    })),
  }
}
