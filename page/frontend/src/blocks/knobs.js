// Which knobs matter: the share of the spread that each explains, with its interval and class.
import { axis, canvasFont, ChartCard, fade, grid, tip } from '../chart.js'
import { percent } from '../format.js'
import { absence, model } from '../model.js'
import { colors } from '../theme.js'
import { shareAxis } from '../values.js'
import { question } from './question.js'

const SHOWN = 9

export function knobsCard() {
  return new ChartCard({
    id: 'knobs',
    size: 'w4',
    height: 'h190',
    title: () => question('Which knobs matter?'),
    about: () => [model.page.analysis.knobs.sentence, model.page.analysis.state === 'failed' ? '' : model.page.analysis.note].filter(Boolean).join(' '),
    option,
    figures,
  })
}

function option() {
  const { rows } = model.page.analysis.knobs
  if (!rows.length) return absence('Too few trials to tell.')
  const { accent, ink, muted, faint } = colors()
  const shown = rows.slice(0, SHOWN).reverse()
  const hue = (row) => ({ matters: accent, unclear: fade(accent, 0.45), 'can be fixed': faint })[row.verdict]
  return {
    tooltip: { formatter: ({ dataIndex }) => describe(shown[dataIndex]) },
    grid: grid({ right: 76 }),
    xAxis: shareAxis(Math.max(...shown.map((row) => row.high))),
    yAxis: axis({
      type: 'category',
      data: shown.map((row) => row.name),
      splitLine: { show: false },
      axisLabel: { color: ink, interval: 0, hideOverlap: false, width: 96, overflow: 'truncate' },
    }),
    series: [
      { type: 'bar', barWidth: '58%', barMaxWidth: 18, data: shown.map((row) => ({ value: row.share, itemStyle: { color: hue(row), borderRadius: 2 } })) },
      { type: 'custom', silent: true, renderItem: whisker(ink), data: shown.map((row, place) => [row.low, place, row.high]) },
      {
        type: 'custom',
        silent: true,
        clip: false,
        renderItem: (params, api) => ({
          type: 'text',
          style: { text: shown[params.dataIndex].verdict, x: params.coordSys.x + params.coordSys.width + 8, y: api.coord([0, params.dataIndex])[1], fill: muted, font: canvasFont(), verticalAlign: 'middle' },
        }),
        data: shown.map((_, place) => [0, place]),
      },
    ],
  }
}

const whisker = (color) => (_, api) => {
  const [x1, y] = api.coord([api.value(0), api.value(1)])
  const [x2] = api.coord([api.value(2), api.value(1)])
  return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke: color, lineWidth: 1.5 } }
}

function describe(row) {
  return tip(row.name, [
    ['share', percent(row.share)],
    ['interval', `${percent(row.low)} to ${percent(row.high)}`],
    ['class', row.verdict],
  ])
}

function figures() {
  return {
    columns: [{ name: 'parameter' }, { name: 'share', numeric: true, text: percent }, { name: 'low', numeric: true, text: percent }, { name: 'high', numeric: true, text: percent }, { name: 'class' }],
    rows: model.page.analysis.knobs.rows.map((row) => [row.name, row.share, row.low, row.high, row.verdict]),
  }
}
