// The answers from run to run and from data to data, and what the schedule concluded.
import { axis, ChartCard, grid, tip } from '../chart.js'
import { h, put } from '../dom.js'
import { count, metric, moment, niceRange, number, when } from '../format.js'
import { model } from '../model.js'
import { canStandBeside, openBeside } from '../studies/choose.js'
import { table } from '../table.js'
import { colors, fade } from '../theme.js'

export function driftCard() {
  const compareButton = h('button', { type: 'button', hidden: true, onclick: () => openBeside(scheduledOthers()) }, 'Compare these studies')
  const card = new ChartCard({
    id: 'drift',
    height: 'h240',
    title: 'Answers from run to run',
    controls: h('span', { class: 'screen' }, compareButton),
    about: () => `The winner's ${model.page.head.goals[0].metric} with its interval after each run, scheduled runs included; a new shape of point means new data.`,
    option: driftOption,
    figures: () => ({
      columns: [{ name: 'when', text: when }, { name: 'study' }, { name: 'trial', numeric: true }, { name: 'value', numeric: true, text: metric }, { name: 'low', numeric: true, text: metric }, { name: 'high', numeric: true, text: metric }, { name: 'data' }],
      rows: model.page.lineage.verdicts.map((one) => [one.at, one.study, one.trial, one.value, one.low, one.high, one.data]),
    }),
  })
  return {
    element: card.element,
    update: () => {
      card.element.hidden = model.page.lineage.verdicts.length < 2
      compareButton.hidden = !scheduledOthers().length
      card.update()
    },
  }
}

/** The other studies of the schedule, the latest first: its runs beside each other. */
function scheduledOthers() {
  return [...new Set(model.page.lineage.verdicts.map((one) => one.study))].filter(canStandBeside).reverse()
}

function driftOption() {
  const { verdicts } = model.page.lineage
  if (verdicts.length < 2) return 'One answer so far.'
  const { accent, muted } = colors()
  const shapes = ['circle', 'triangle', 'rect', 'diamond']
  const data = [...new Set(verdicts.map((one) => one.data))]
  const range = niceRange(...ends(verdicts), 4)
  return {
    tooltip: { formatter: ({ dataIndex }) => tip(moment(verdicts[dataIndex].at), [['study', verdicts[dataIndex].study], ['trial', String(verdicts[dataIndex].trial)], ['value', metric(verdicts[dataIndex].value)], ['data', verdicts[dataIndex].data || 'unknown']]) },
    grid: grid({ bottom: 6, top: 12 }),
    xAxis: axis({ type: 'category', data: verdicts.map((one) => moment(one.at)), splitLine: { show: false } }),
    yAxis: axis({ ...range, axisLabel: { formatter: (value) => number(value) } }),
    series: [
      { type: 'line', silent: true, symbol: 'none', lineStyle: { color: fade(muted, 0.5), width: 1 }, data: verdicts.map((one) => one.value) },
      {
        type: 'custom',
        silent: true,
        renderItem: ({ dataIndex }, api) => {
          const [x, y1] = api.coord([dataIndex, verdicts[dataIndex].low ?? verdicts[dataIndex].value])
          const y2 = api.coord([dataIndex, verdicts[dataIndex].high ?? verdicts[dataIndex].value])[1]
          return { type: 'line', shape: { x1: x, x2: x, y1, y2 }, style: { stroke: fade(accent, 0.4), lineWidth: 5, lineCap: 'round' } }
        },
        data: verdicts.map((one, place) => [place, one.value]),
      },
      { type: 'scatter', z: 4, data: verdicts.map((one, place) => ({ value: [place, one.value], symbol: shapes[data.indexOf(one.data) % 4], symbolSize: 10, itemStyle: { color: accent } })) },
    ],
  }
}

function ends(verdicts) {
  const all = verdicts.flatMap((one) => [one.value, one.low, one.high]).filter((value) => value !== null)
  return [Math.min(...all), Math.max(...all)]
}

/** How the data drifted from run to run; hidden while all answers come of the same. */
export function dataCard() {
  const element = h('section', { class: 'card w12', id: 'data-drift' })
  const update = () => {
    const { states } = model.page.lineage
    element.hidden = states.length < 2
    put(
      element,
      h('div', { class: 'top' }, h('h3', {}, 'Data from run to run')),
      h('p', { class: 'about' }, 'Each state of the data that an answer came of, and what changed since the one before: rows, columns, the target, and means that moved by a tenth of their deviation or more.'),
      table({
        label: 'Data from run to run',
        columns: [{ name: 'since', text: when }, { name: 'data', text: (data) => data.slice(0, 8) }, { name: 'rows', numeric: true, text: count }, { name: 'target' }, { name: 'changed', text: (changes) => h('ul', { class: 'facts-list' }, changes.map((one) => h('li', {}, one))) }],
        rows: states.map((one) => [one.at, one.data, one.n_rows, one.target || 'no longer in the store', one.changes.length ? one.changes : null]),
      }),
    )
  }
  return { element, update }
}

/** What a schedule did about this study, latest first; hidden where none looks after it. */
export function scheduleCard() {
  const element = h('section', { class: 'card w12', id: 'schedule' })
  const update = () => {
    const { steps } = model.page.lineage
    element.hidden = !steps.length
    put(
      element,
      h('div', { class: 'top' }, h('h3', {}, 'Schedule')),
      h('p', { class: 'about' }, 'What each scheduled run concluded, latest first.'),
      table({
        label: 'Schedule',
        columns: [{ name: 'when', text: when }, { name: 'step' }, { name: 'reason' }, { name: 'incumbent of' }, { name: 'data', text: (data) => data.slice(0, 8) }],
        rows: steps.map((one) => [one.at, one.step, one.reason, one.study, one.data]),
      }),
    )
  }
  return { element, update }
}
