// The charts of studies beside each other; marks and lines as `SERIES` has them, in the order of the studies.
import { chosen, say } from '../address.js'
import { lineLegend, markLegend } from '../beside.js'
import { axis, ChartCard, grid, staircase, tip } from '../chart.js'
import { segmented } from '../dom.js'
import { duration, metric, niceRange, number, percent } from '../format.js'
import { better } from '../model.js'
import { colors, fade, SERIES } from '../theme.js'
import { countAxis, secondsAxis, shareAxis, valueScale } from '../values.js'

const ACROSS = { number: 'trial', finished: 'running time', spent: 'training time' }
// Picked by hand: with seven studies each row holds as many marks.
const MOST_KNOBS = 8

/** Those whose values may stand on one axis with the first study's; its place among all goes along for its mark. */
function alike(studies) {
  const [goal] = studies[0].goals
  return studies.map((one, place) => ({ ...one, place })).filter((one) => one.goals[0].metric === goal.metric && one.goals[0].goal === goal.goal)
}

function leftOut(studies) {
  const n = studies.length - alike(studies).length
  return n ? ` ${n} with another objective ${n === 1 ? 'is' : 'are'} left out.` : ''
}

export function answersCard(studies) {
  const shown = alike(studies).filter((one) => one.answer)
  return new ChartCard({
    id: 'studies-answers',
    height: 'h240',
    title: 'Answers',
    about: () => `${studies[0].goals[0].metric} of each answer with its interval on fresh seeds; hollow: only what the search saw, which is optimistic.${leftOut(studies)}`,
    option: () => (shown.length ? answersOption(shown) : 'None has an answer yet.'),
    figures: () => ({
      columns: [{ name: 'study' }, { name: 'trial', numeric: true }, { name: 'value', numeric: true, text: metric }, { name: 'low', numeric: true, text: metric }, { name: 'high', numeric: true, text: metric }],
      rows: shown.map(({ study, answer }) => [study, answer.trial, answer.value, answer.low, answer.high]),
    }),
  })
}

function answersOption(shown) {
  const palette = colors()
  const rows = [...shown].reverse()
  const ends = rows.flatMap(({ answer }) => [answer.value, answer.low, answer.high]).filter((value) => value !== null)
  return {
    tooltip: { formatter: ({ dataIndex }) => describe(rows[dataIndex]) },
    grid: grid({ right: 20, bottom: 6 }),
    xAxis: axis({ ...niceRange(Math.min(...ends), Math.max(...ends), 4), axisLabel: { formatter: (value) => number(value) } }),
    yAxis: axis({ type: 'category', data: rows.map((one) => one.study), splitLine: { show: false }, axisLabel: { color: palette.ink, interval: 0, hideOverlap: false, width: 120, overflow: 'truncate' } }),
    series: [
      whiskers(rows.map(({ answer, place }, row) => ({ low: answer.low ?? answer.value, high: answer.high ?? answer.value, row, place })), palette),
      marks(rows.map(({ answer, place }, row) => ({ value: answer.value, row, place, isHollow: answer.kind !== 'selected' })), palette),
    ],
  }
}

function describe({ study, answer }) {
  return tip(study, [['trial', String(answer.trial)], ['value', answer.text], ['interval', answer.low === null ? 'unknown' : `${metric(answer.low)} to ${metric(answer.high)}`]])
}

function hue(palette, place) {
  return palette[SERIES[place].color]
}

function whiskers(spans, palette) {
  return {
    type: 'custom',
    silent: true,
    clip: true,
    renderItem: ({ dataIndex }, api) => {
      const { low, high, row, place, offset = 0 } = spans[dataIndex]
      const [x1, y] = api.coord([low, row])
      const [x2] = api.coord([high, row])
      return { type: 'line', shape: { x1, x2, y1: y + offset, y2: y + offset }, style: { stroke: fade(hue(palette, place), 0.45), lineWidth: 4, lineCap: 'round' } }
    },
    data: spans.map(({ low, row }) => [low, row]),
  }
}

function marks(points, palette) {
  return {
    type: 'scatter',
    z: 5,
    data: points.map(({ value, row, place, isHollow, offset = 0 }) => ({
      value: [value, row],
      symbol: `path://${SERIES[place].shape}`,
      symbolSize: 11,
      symbolOffset: [0, offset],
      itemStyle: isHollow ? { color: palette.card, borderColor: hue(palette, place), borderWidth: 2 } : { color: hue(palette, place) },
    })),
  }
}

export function progressCard(studies) {
  const shown = alike(studies).filter((one) => one.best.value.length)
  const across = () => chosen('across', Object.keys(ACROSS))
  const controls = segmented('Across', [['number', 'trial'], ['finished', 'time'], ['spent', 'cost']], across(), (value) => (say({ across: value === 'number' ? null : value }), card.update()))
  const card = new ChartCard({
    id: 'studies-progress',
    height: 'h240',
    zooms: true,
    controls,
    title: 'Best so far',
    about: () => `The best ${studies[0].goals[0].metric} that each search had seen, by ${ACROSS[across()]}.${leftOut(studies)}`,
    legend: () => lineLegend(studies.map((one) => one.study)),
    option: () => (shown.length ? progressOption(shown, across(), studies[0].goals[0]) : 'No trial has a value yet.'),
    figures: () => ({
      columns: [{ name: 'study' }, { name: 'trial', numeric: true }, { name: 'value', numeric: true, text: metric }, { name: 'running time', numeric: true, text: duration }, { name: 'training time of all', numeric: true, text: duration }],
      rows: shown.flatMap(({ study, best }) => best.number.map((trial, place) => [study, trial, best.value[place], best.finished[place], best.spent[place]])),
    }),
  })
  return card
}

const END = { number: (one) => one.n_trials - 1, finished: (one) => one.elapsed_seconds, spent: (one) => one.training_seconds }

function progressOption(shown, across, goal) {
  const palette = colors()
  const scale = valueScale(shown.flatMap((one) => one.best.value), goal.goal)
  const last = Math.max(...shown.map(END[across]))
  const named = { splitLine: { show: false }, name: ACROSS[across], nameLocation: 'middle', nameGap: 24 }
  return {
    tooltip: { show: false },
    grid: { left: 4, right: 18, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: across === 'number' ? countAxis(last, named) : secondsAxis(last, named),
    yAxis: scale.axis,
    series: [{ type: 'line', data: [] }, ...shown.map((one) => line(one, across, goal, scale, palette))],
  }
}

function line(one, across, goal, scale, palette) {
  const isBetter = better(goal)
  const steps = one.best.value.map((value, at) => [one.best[across][at], value]).filter(([x]) => x !== null).sort((left, right) => left[0] - right[0])
  // By number a later trial may have ended first; the line only ever gets better.
  const kept = steps.filter(([, value], at) => steps.slice(0, at).every(([, before]) => isBetter(value, before))).map(([x, value]) => [x, scale.at(value)])
  if (kept.length) kept.push([Math.max(END[across](one), kept[kept.length - 1][0]), kept[kept.length - 1][1]])
  return staircase(kept, hue(palette, one.place), { width: one.place ? 1.8 : 2.6, z: one.place ? 3 : 5, dash: SERIES[one.place].dash })
}

export function importanceCard(studies) {
  const rows = knobRows(studies)
  return new ChartCard({
    id: 'studies-importance',
    height: rows.length > 5 ? 'h320' : 'h240',
    title: 'Which knobs matter',
    about: () => `The share of the spread of its first objective that each parameter explains, with its interval.${waiting(studies)}${rows.length > MOST_KNOBS ? ` The first ${MOST_KNOBS} of ${rows.length} are drawn; the table has all.` : ''}`,
    legend: () => markLegend(studies.map((one) => one.study)),
    option: () => (rows.length ? importanceOption(rows.slice(0, MOST_KNOBS), studies) : 'Too few trials to tell.'),
    figures: () => ({
      columns: [{ name: 'parameter' }, ...studies.flatMap((one) => [{ name: one.study, numeric: true, text: percent }, { name: 'interval' }])],
      rows: rows.map(({ name, found }) => [name, ...found.flatMap((row) => (row ? [row.share, `${percent(row.low)} to ${percent(row.high)}`] : [null, null]))]),
    }),
  })
}

function waiting(studies) {
  const without = studies.filter((one) => !one.knobs.rows.length)
  return without.map((one) => ` ${one.study}: ${one.knobs.sentence}`).join('')
}

/** Each parameter with what each study says of it, by the largest share. */
function knobRows(studies) {
  const names = [...new Set(studies.flatMap((one) => one.knobs.rows.map((row) => row.name)))]
  const most = (found) => Math.max(...found.map((row) => row?.share ?? 0))
  return names.map((name) => ({ name, found: studies.map((one) => one.knobs.rows.find((row) => row.name === name)) })).sort((left, right) => most(right.found) - most(left.found))
}

function importanceOption(rows, studies) {
  const palette = colors()
  const shown = [...rows].reverse()
  // As far apart as the marks of seven studies can stand in one row; picked by hand.
  const step = Math.min(10, 26 / studies.length)
  const points = shown.flatMap(({ found }, row) => found.flatMap((one, place) => (one ? [{ ...one, value: one.share, row, place, offset: (place - (studies.length - 1) / 2) * step }] : [])))
  return {
    tooltip: { formatter: ({ dataIndex }) => tip(points[dataIndex].name, [['study', studies[points[dataIndex].place].study], ['share', percent(points[dataIndex].share)], ['interval', `${percent(points[dataIndex].low)} to ${percent(points[dataIndex].high)}`]]) },
    grid: grid({ right: 20, bottom: 6 }),
    xAxis: shareAxis(Math.max(...points.map((one) => one.high))),
    yAxis: axis({ type: 'category', data: shown.map((row) => row.name), splitLine: { show: true, interval: 0 }, axisLabel: { color: palette.ink, interval: 0, hideOverlap: false, width: 110, overflow: 'truncate' } }),
    series: [whiskers(points, palette), marks(points, palette)],
  }
}

