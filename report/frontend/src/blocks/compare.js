// This study's answers from run to run (drift), and the other studies of the store.
import { axis, ChartCard, grid, tip } from '../chart.js'
import { h, put } from '../dom.js'
import { duration, metric, moment, niceRange, number } from '../format.js'
import { model } from '../model.js'
import { table } from '../table.js'
import { colors, fade } from '../theme.js'

export function driftCard() {
  const card = new ChartCard({
    id: 'drift',
    height: 'h240',
    title: 'Answers from run to run',
    about: () => `The winner's ${model.page.head.goals[0].metric} with its interval after each run of this study; a new shape of point means new data.`,
    option: driftOption,
    figures: () => ({
      columns: [{ name: 'when', text: moment }, { name: 'trial', numeric: true }, { name: 'value', numeric: true, text: metric }, { name: 'low', numeric: true, text: metric }, { name: 'high', numeric: true, text: metric }, { name: 'data' }],
      rows: model.page.lineage.verdicts.map((one) => [one.at, one.trial, one.value, one.low, one.high, one.data]),
    }),
  })
  return {
    element: card.element,
    update: () => {
      card.element.hidden = model.page.lineage.verdicts.length < 2
      card.update()
    },
  }
}

function driftOption() {
  const { verdicts } = model.page.lineage
  if (verdicts.length < 2) return 'One answer so far.'
  const { accent, muted } = colors()
  const shapes = ['circle', 'triangle', 'rect', 'diamond']
  const data = [...new Set(verdicts.map((one) => one.data))]
  const range = niceRange(...ends(verdicts), 4)
  return {
    tooltip: { formatter: ({ dataIndex }) => tip(moment(verdicts[dataIndex].at), [['trial', String(verdicts[dataIndex].trial)], ['value', metric(verdicts[dataIndex].value)], ['data', verdicts[dataIndex].data || 'unknown']]) },
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
      { type: 'scatter', data: verdicts.map((one) => ({ value: one.value, symbol: shapes[data.indexOf(one.data) % 4], symbolSize: 10, itemStyle: { color: accent } })) },
    ],
  }
}

function ends(verdicts) {
  const all = verdicts.flatMap((one) => [one.value, one.low, one.high]).filter((value) => value !== null)
  return [Math.min(...all), Math.max(...all)]
}

export function studiesCard(linkTo) {
  const element = h('section', { class: 'card w12', id: 'studies' })
  const update = () => {
    const { studies, head } = model.page
    element.hidden = studies.length < 2
    put(
      element,
      h('div', { class: 'top' }, h('h3', {}, 'Studies of this store')),
      h('p', { class: 'about' }, 'The best value that each search saw; values compare only where the metric and the data are the same.'),
      table({
        label: 'Studies of this store',
        columns: [
          { name: 'study', text: (name) => (linkTo && name !== head.study ? h('a', { href: linkTo(name) }, name) : name) },
          { name: 'state' },
          { name: 'metric' },
          { name: 'best', numeric: true, text: metric },
          { name: 'trials', numeric: true },
          { name: 'failed', numeric: true },
          { name: 'training time', numeric: true, text: duration },
          { name: 'changed', text: moment },
        ],
        rows: studies.map((one) => [one.study, one.state, one.metric, one.best, one.n_trials, one.n_failed, one.training_seconds, one.changed_at]),
      }),
    )
  }
  return { element, update }
}
