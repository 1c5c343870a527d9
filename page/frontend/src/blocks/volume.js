// With several objectives: how much the front covers after each trial that moved it.
import { axis, ChartCard, staircase } from '../chart.js'
import { segmented } from '../dom.js'
import { duration, percent } from '../format.js'
import { model } from '../model.js'
import { colors } from '../theme.js'
import { countAxis, secondsAxis } from '../values.js'

const ACROSS = { number: 'trial', finished: 'running time', spent: 'training time' }

export function volumeCard() {
  let across = 'number'
  const controls = segmented('Across', [['number', 'trial'], ['finished', 'time'], ['spent', 'cost']], across, (value) => ((across = value), card.update()))
  const card = new ChartCard({
    id: 'volume',
    height: 'h280',
    controls: controls,
    title: 'Hypervolume',
    about: () => 'The share that the front covers of the box from the best to the worst value of each objective; a flat line says that more trials bring little.',
    option: () => option(across),
    figures,
  })
  return card
}

function steps(across) {
  const { volume } = model.page
  const all = volume.value.map((share, place) => [volume[across][place], share]).filter(([x]) => x !== null)
  return all.sort((left, right) => left[0] - right[0]).filter(([, share], place, sorted) => sorted.slice(0, place).every(([, before]) => share > before))
}

function option(across) {
  const { trials } = model.page
  const { best } = colors()
  const line = steps(across)
  if (!line.length) return 'Needs two trials that differ in every objective.'
  const last = trials[across].reduce((most, value) => Math.max(most, value ?? 0), 0)
  line.push([Math.max(last, line[line.length - 1][0]), line[line.length - 1][1]])
  return {
    tooltip: { show: false },
    xAxis: (across === 'number' ? countAxis : secondsAxis)(last, { splitLine: { show: false }, name: ACROSS[across], nameLocation: 'middle', nameGap: 24 }),
    yAxis: axis({ min: 0, max: 1, interval: 0.25, axisLabel: { formatter: (value) => `${Math.round(100 * value)} %` } }),
    grid: { left: 4, right: 18, top: 12, bottom: 24, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    series: [{ type: 'line', data: [] }, staircase(line, best, { width: 2.5 })],
  }
}

function figures() {
  const { volume } = model.page
  return {
    columns: [{ name: 'trial', numeric: true, isTrial: true }, { name: 'covered', numeric: true, text: percent }, { name: 'running time', numeric: true, text: duration }, { name: 'training time of all', numeric: true, text: duration }],
    rows: volume.number.map((number, place) => [number, volume.value[place], volume.finished[place], volume.spent[place]]),
  }
}
