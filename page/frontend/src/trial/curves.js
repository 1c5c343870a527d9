// The trial's learning curves, one for each fold and seed, beside the band in which most trials were.
import { axis, ChartCard, fade } from '../chart.js'
import { lineLegend } from '../beside.js'
import { choice } from '../dom.js'
import { counted, metric } from '../format.js'
import { alongBudget, model, ofBudget } from '../model.js'
import { colors, SERIES } from '../theme.js'
import { valueScale } from '../values.js'

export function curvesCard(life) {
  const names = [...new Set(life.curves.map((one) => one.metric))]
  const goal = model.page.head.goals[0].metric
  let chosen = names.includes(goal) ? goal : names[0]
  const shown = () => life.curves.filter((one) => one.metric === chosen)
  const band = () => (model.page.curves.metric === chosen ? model.page.curves.band : [])
  const card = new ChartCard({
    id: 'trial-curves',
    height: 'h280',
    title: 'Learning curves',
    controls: names.length > 1 ? choice('of', names.map((name) => [name, name]), chosen, (name) => ((chosen = name), card.update())) : [],
    about: () => [`${chosen} ${alongBudget()}, ${counted(shown().length, 'line')}: one for each fold and seed.`, band().length ? 'The band holds the middle eight of ten trials of the search; its line is the median.' : '', life.curves_note].filter(Boolean).join(' '),
    legend: () => lineLegend(shown().slice(0, 12).map(nameOf)),
    option,
    figures: () => ({
      columns: [{ name: 'line' }, { name: ofBudget(), numeric: true }, { name: chosen, numeric: true, text: metric }],
      rows: shown().flatMap((one) => one.steps.map((step, place) => [nameOf(one), step, one.values[place]])),
    }),
  })

  function option() {
    const palette = colors()
    const lines = shown()
    const around = band()
    // All of it: a trial that ran away is what its page is opened for.
    const scale = valueScale([...lines.flatMap((one) => one.values), ...around.flatMap((one) => [one.low, one.high])], 'minimize', { share: 1 })
    const steps = [...lines.flatMap((one) => one.steps), ...around.map((one) => one.step)]
    return {
      tooltip: { show: false },
      grid: { left: 4, right: 18, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: axis({ min: Math.min(...steps), max: Math.max(...steps), minInterval: 1, splitLine: { show: false }, name: ofBudget(), nameLocation: 'middle', nameGap: 24 }),
      yAxis: scale.axis,
      series: [...(around.length ? bandSeries(around, scale, palette.muted) : []), ...lines.map((one, place) => line(one, place, scale, palette))],
    }
  }
  return card
}

const nameOf = (one) => `${one.replicate === null ? 'search' : `fresh seed ${one.replicate}`}, fold ${one.fold}`

function line(one, place, scale, palette) {
  const { color, dash } = SERIES[place % SERIES.length]
  return {
    type: 'line',
    silent: true,
    z: 5,
    symbol: one.steps.length === 1 ? 'circle' : 'none',
    symbolSize: 5,
    itemStyle: { color: palette[color] },
    lineStyle: { color: palette[color], width: 1.8, type: dash.length ? dash : 'solid' },
    data: one.steps.map((step, at) => [step, scale.at(one.values[at])]),
  }
}

function bandSeries(around, scale, color) {
  return [
    {
      type: 'custom',
      silent: true,
      clip: true,
      z: 1,
      renderItem: ({ dataIndex }, api) =>
        dataIndex
          ? undefined
          : {
              type: 'polygon',
              shape: { points: [...around.map((one) => api.coord([one.step, scale.at(one.high)])), ...[...around].reverse().map((one) => api.coord([one.step, scale.at(one.low)]))] },
              style: { fill: fade(color, 0.16) },
            },
      data: [[around[0].step, scale.at(around[0].middle)]],
    },
    { type: 'line', silent: true, symbol: 'none', z: 2, lineStyle: { color: fade(color, 0.6), width: 1.2, type: 'dotted' }, data: around.map((one) => [one.step, scale.at(one.middle)]) },
  ]
}
