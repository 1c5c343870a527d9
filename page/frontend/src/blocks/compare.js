// This study beside the others of its store: how fast each came down, and what each reached.
import { onAddress } from '../address.js'
import { lineLegend } from '../beside.js'
import { axis, ChartCard, staircase } from '../chart.js'
import { h, put } from '../dom.js'
import { duration, metric, niceRange, number, when } from '../format.js'
import { model, usualRange } from '../model.js'
import { besideBar, besideBox, canStandBeside } from '../studies/choose.js'
import { table } from '../table.js'
import { colors, SERIES } from '../theme.js'
import { countAxis } from '../values.js'

export function comparisonCard() {
  const card = new ChartCard({
    id: 'comparison',
    size: 'w12',
    height: 'h280',
    title: 'Studies with the same objective',
    about: () => `The best ${model.page.head.goals[0].metric} that each search had seen after so many trials. They compare only where the data are the same.`,
    legend: () => lineLegend(drawn().map((study) => study.study)),
    option,
    figures: () => ({
      columns: [{ name: 'study' }, { name: 'trials', numeric: true }, { name: 'best that the search saw', numeric: true, text: metric }, { name: 'found after trial', numeric: true }],
      rows: drawn().map((one) => [one.study, one.n_trials, one.best_values[one.best_values.length - 1], one.best_numbers[one.best_numbers.length - 1]]),
    }),
  })
  return {
    element: card.element,
    update: () => {
      card.element.hidden = drawn().length < 2
      card.update()
    },
  }
}

/** This study first. */
function drawn() {
  const { studies, head } = model.page
  return studies.filter((one) => one.best_values.length).sort((left, right) => (right.study === head.study) - (left.study === head.study))
}

function option() {
  const shown = drawn()
  if (shown.length < 2) return 'No other study has this objective.'
  const palette = colors()
  const range = niceRange(...usualRange(shown.flatMap((one) => one.best_values), model.page.head.goals[0].goal), 4)
  const last = Math.max(...shown.map((one) => one.n_trials))
  const clamp = (value) => Math.min(range.max, Math.max(range.min, value))
  return {
    tooltip: { show: false },
    grid: { left: 4, right: 18, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: countAxis(last, { splitLine: { show: false }, name: 'trial', nameLocation: 'middle', nameGap: 24 }),
    yAxis: axis({ ...range, axisLabel: { formatter: (value) => number(value) } }),
    series: [
      { type: 'line', data: [] },
      ...shown.map((one, place) => {
        const { color, dash } = SERIES[place % SERIES.length]
        const steps = one.best_numbers.map((number, step) => [number, clamp(one.best_values[step])])
        steps.push([Math.max(one.n_trials - 1, steps[steps.length - 1][0]), steps[steps.length - 1][1]])
        return staircase(steps, palette[color], { width: place ? 1.8 : 2.6, z: place ? 3 : 5, dash })
      }),
    ],
  }
}

function bestTrial({ best_trial: trial, is_selected: isSelected }) {
  if (trial === null) return null
  return isSelected ? String(trial) : `${trial} so far`
}

export function studiesCard(linkTo) {
  const element = h('section', { class: 'card w12', id: 'studies' })
  const bar = besideBar()
  const update = () => {
    const { studies, head } = model.page
    element.hidden = studies.length < 2
    const isChoice = studies.some((one) => canStandBeside(one.study))
    put(
      element,
      h('div', { class: 'top' }, h('h3', {}, 'Studies of this store')),
      h('p', { class: 'about' }, 'The best trial of each: what to expect of it on fresh seeds or, so far, what the search saw. Values compare only where the metric and the data are the same.'),
      table({
        label: 'Studies of this store',
        columns: [
          ...(isChoice ? [{ name: 'compare', text: (name) => (canStandBeside(name) ? besideBox(name, bar.update) : '') }] : []),
          { name: 'study', text: (name) => (linkTo && name !== head.study ? h('a', { href: linkTo(name) }, name) : name) },
          { name: 'state' },
          { name: 'metric' },
          { name: 'best', numeric: true, text: metric },
          { name: 'of trial' },
          { name: 'trials', numeric: true },
          { name: 'failed', numeric: true },
          { name: 'training time', numeric: true, text: duration },
          { name: 'changed', text: when },
        ],
        rows: studies.map((one) => [...(isChoice ? [one.study] : []), one.study, one.state, one.metric, one.best, bestTrial(one), one.n_trials, one.n_failed, one.training_seconds, one.changed_at]),
      }),
      isChoice ? bar.element : h('p', { class: 'hint screen' }, 'To compare: ', h('code', {}, 'pegbox report … --compare …'), ' writes a file that holds both, ', h('code', {}, 'pegbox ui'), ' compares any.'),
    )
    bar.update()
  }
  onAddress(update)
  return { element, update }
}
