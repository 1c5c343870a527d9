// What the workers did, and how much of the time they had nothing to do.
import { axis, ChartCard, fade, grid, tip } from '../chart.js'
import { clock, duration, percent } from '../format.js'
import { model } from '../model.js'
import { colors, OUTCOMES, outcomeOf } from '../theme.js'
import { legend } from './legend.js'

export function workersCard() {
  let drawn = []
  return new ChartCard({
    id: 'workers',
    size: 'w8',
    height: 'h240',
    follows: true,
    title: 'Workers',
    about: () => {
      const { timeline, head } = model.page
      const idle = timeline.idle_share === null ? '' : ` ${head.n_workers === 1 ? 'The worker was' : `The ${head.n_workers} workers were`} idle for ${percent(timeline.idle_share)} of the time.`
      return `Each bar is a stretch of training.${idle} ${timeline.note}`.trim()
    },
    legend: () => legend([['completed'], ['stopped'], ['failed'], ['replicate', 'fresh seed']].filter(([shape]) => model.page.timeline.bars.some((bar) => kind(bar) === shape))),
    trialOf: ({ dataIndex }) => drawn[dataIndex]?.trial,
    option: () => option((drawn = shown())),
    figures,
  })
}

const kind = (bar) => (bar.state === 'replicate' ? 'replicate' : outcomeOf(bar.state))

/** Of the selected trials, and of those that are not drawn elsewhere. */
function shown() {
  return model.page.timeline.bars.filter((bar) => model.mask[model.rowOf.get(bar.trial)] ?? 1)
}

function option(bars) {
  const { workers, bars: all } = model.page.timeline
  if (!all.length) return 'No segment has ended yet.'
  const palette = colors()
  const [start, end] = [Math.min(...all.map((bar) => bar.start)), Math.max(...all.map((bar) => bar.end))]
  const hue = (bar) => palette[kind(bar) === 'replicate' ? 'best' : OUTCOMES[kind(bar)].color]
  return {
    tooltip: { formatter: ({ dataIndex }) => describe(bars[dataIndex]) },
    grid: grid({ right: 22 }),
    xAxis: axis({ min: start, max: end, splitLine: { show: false }, splitNumber: 5, axisLabel: { formatter: (value) => clock(value, end - start < 600), showMinLabel: true } }),
    yAxis: axis({ type: 'category', data: workers.map((name) => name || 'worker'), splitLine: { show: false }, axisLabel: { interval: 0, hideOverlap: workers.length > 12, width: 110, overflow: 'truncate' } }),
    series: [
      {
        type: 'custom',
        clip: true,
        encode: { x: [0, 1], y: 2 },
        renderItem: ({ dataIndex }, api) => {
          const bar = bars[dataIndex]
          const [x, y] = api.coord([bar.start, bar.worker])
          const height = Math.min(18, api.size([0, 1])[1] * 0.62)
          const width = Math.max(1, api.coord([bar.end, bar.worker])[0] - x - 0.5)
          return { type: 'rect', shape: { x, y: y - height / 2, width, height, r: Math.min(2, width / 3) }, style: { fill: fade(hue(bar), 0.8) } }
        },
        data: bars.map((bar) => [bar.start, bar.end, bar.worker]),
      },
    ],
  }
}

function describe(bar) {
  return tip(`Trial ${bar.trial}`, [
    ['worker', model.page.timeline.workers[bar.worker] || 'unnamed'],
    ['began', clock(bar.start, true)],
    ['took', duration(bar.end - bar.start)],
    ['outcome', kind(bar) === 'replicate' ? 'fresh seed' : OUTCOMES[kind(bar)].label],
  ])
}

function figures() {
  const { workers } = model.page.timeline
  const bars = shown()
  const busy = workers.map((name, place) => {
    const own = bars.filter((bar) => bar.worker === place)
    return [name || 'unnamed', own.length, own.reduce((sum, bar) => sum + bar.end - bar.start, 0)]
  })
  return { columns: [{ name: 'worker' }, { name: 'segments', numeric: true }, { name: 'busy', numeric: true, text: duration }], rows: busy }
}
