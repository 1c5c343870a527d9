// Learning curves of some trials, with the rungs at which trials were compared.
import { axis, ChartCard, fade } from '../chart.js'
import { counted, metric } from '../format.js'
import { alongBudget, model, ofBudget } from '../model.js'
import { colors, OUTCOMES, outcomeOf } from '../theme.js'
import { valueScale } from '../values.js'
import { legend } from './legend.js'

export function curvesCard() {
  return new ChartCard({
    id: 'curves',
    height: 'h280',
    follows: true,
    zooms: true,
    trialOf: ({ seriesIndex }) => drawn()[seriesIndex]?.trial,
    title: 'Learning curves',
    about: () => {
      const { curves, head } = model.page
      const rungs = curves.rungs.length ? ` Dashed: where ${head.schedule} compared trials.` : ''
      return `${curves.metric} ${alongBudget()}, of ${counted(drawn().length, 'trial')}.${rungs} ${curves.note}`.trim()
    },
    legend: () => legend([['completed'], ['stopped'], ['failed'], ['line', 'chosen']].filter(([shape]) => shape === 'line' || drawn().some((curve) => outcome(curve) === shape))),
    option,
    figures,
  })
}

function drawn() {
  return model.page.curves.drawn.filter((curve) => {
    const row = model.rowOf.get(curve.trial)
    return row === undefined || model.mask[row]
  })
}

function outcome(curve) {
  const row = model.rowOf.get(curve.trial)
  return row === undefined ? 'completed' : outcomeOf(model.page.trials.state[row])
}

function option() {
  const shown = drawn()
  if (!shown.length) return model.page.curves.n_total ? 'No selected trial has a curve here.' : 'Training reported no steps.'
  const palette = colors()
  const { curves, answer, head } = model.page
  const scale = valueScale(shown.flatMap((curve) => curve.values).filter((value) => value !== null), head.goals[0].goal, { share: 0.98 })
  const last = Math.max(...shown.flatMap((curve) => curve.steps))
  const alpha = Math.max(0.15, Math.min(0.6, 40 / shown.length))
  return {
    tooltip: { show: false },
    grid: { left: 4, right: 18, top: 22, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: axis({ min: Math.min(...shown.flatMap((curve) => curve.steps)), max: last, minInterval: 1, splitLine: { show: false }, name: ofBudget(), nameLocation: 'middle', nameGap: 24 }),
    yAxis: scale.axis,
    series: [
      ...shown.map((curve) => {
        const isChosen = answer?.trial === curve.trial
        const color = isChosen ? palette.best : fade(palette[OUTCOMES[outcome(curve)].color], alpha)
        return {
          type: 'line',
          triggerLineEvent: true,
          symbol: curve.steps.length === 1 ? 'circle' : 'none',
          symbolSize: 3,
          clip: true,
          z: isChosen ? 5 : 2,
          itemStyle: { color },
          lineStyle: { color, width: isChosen ? 2.5 : 1 },
          data: curve.steps.map((step, place) => [step, scale.raw(curve.values[place])]),
        }
      }),
      {
        type: 'line',
        data: [],
        markLine: {
          symbol: 'none',
          silent: true,
          lineStyle: { color: palette.muted, type: 'dashed' },
          label: { color: palette.muted, fontSize: 11, formatter: ({ value }) => `${value}` },
          data: curves.rungs.map((rung) => ({ xAxis: rung })),
        },
      },
    ],
  }
}

function figures() {
  return {
    columns: [{ name: 'trial', numeric: true, isTrial: true }, { name: 'outcome' }, { name: model.page.head.fidelity, numeric: true }, { name: 'first', numeric: true, text: metric }, { name: 'last', numeric: true, text: metric }],
    rows: drawn().map((curve) => [curve.trial, OUTCOMES[outcome(curve)].label, curve.steps[curve.steps.length - 1], curve.values[0], curve.values[curve.values.length - 1]]),
  }
}
