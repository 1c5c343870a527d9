// Rung correlation: would stopping at each rung have kept the winner?
import { axis, ChartCard, grid, tip } from '../chart.js'
import { count, number } from '../format.js'
import { model } from '../model.js'
import { colors, fade } from '../theme.js'

export function rungsCard() {
  const card = new ChartCard({
    id: 'rungs',
    size: 'w4',
    height: 'h240',
    title: 'Rung correlation',
    about,
    option,
    figures,
  })
  return {
    element: card.element,
    update: () => {
      card.element.hidden = model.page.head.schedule === 'full'
      card.update()
    },
  }
}

function about() {
  const { rungs } = model.page
  const base = 'How well the order of trials at each rung foretold their order at the end, among those that got there.'
  const worst = rungs.filter((rung) => rung.winner_rank !== null).sort((left, right) => right.winner_rank - left.winner_rank)[0]
  if (!worst) return base
  return `${base} The best of them ranked ${ordinal(worst.winner_rank)} of ${count(worst.n_trials)} at ${worst.budget}.`
}

function ordinal(rank) {
  const tens = rank % 100
  const suffix = tens > 10 && tens < 14 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[rank % 10] ?? 'th')
  return `${rank}${suffix}`
}

function option() {
  const { rungs } = model.page
  if (!rungs.length) return 'Needs three trials that were measured at a rung and at the end.'
  const { accent, ink } = colors()
  const least = Math.min(0, ...rungs.map((rung) => rung.correlation ?? 0))
  return {
    tooltip: { formatter: ({ dataIndex }) => describe(rungs[dataIndex]) },
    grid: grid({ top: 18, bottom: 24 }),
    xAxis: axis({ type: 'category', data: rungs.map((rung) => String(rung.budget)), splitLine: { show: false }, name: 'budget of the rung', nameLocation: 'middle', nameGap: 24, axisLabel: { interval: 0 } }),
    yAxis: axis({ min: least < 0 ? Math.floor(least * 2) / 2 : 0, max: 1, interval: 0.5 }),
    series: [
      {
        type: 'bar',
        barMaxWidth: 46,
        label: { show: true, position: 'top', color: ink, fontSize: 11, formatter: ({ value }) => number(value, 2) },
        data: rungs.map((rung) => ({ value: rung.correlation, itemStyle: { color: fade(accent, 0.75), borderRadius: 2 } })),
      },
    ],
  }
}

function describe(rung) {
  return tip(`Rung ${rung.budget}`, [
    ["Spearman's correlation", number(rung.correlation, 2)],
    ['trials', count(rung.n_trials)],
    ['rank of the final best', String(rung.winner_rank)],
  ])
}

function figures() {
  return {
    columns: [{ name: 'rung', numeric: true }, { name: 'trials', numeric: true }, { name: 'correlation', numeric: true, text: (value) => number(value, 2) }, { name: 'rank of the final best', numeric: true }],
    rows: model.page.rungs.map((rung) => [rung.budget, rung.n_trials, rung.correlation, rung.winner_rank]),
  }
}
