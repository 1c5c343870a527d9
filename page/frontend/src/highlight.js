// Marks one trial in a chart, above its canvas: what lies under it is not drawn again, however many marks there are.
import { put, s } from './dom.js'
import { pointedTrial } from './pointing.js'

export class Highlight {
  /**
   * @param chart an ECharts instance
   * @param plot the element that it is drawn in
   * @param trialOf what ECharts tells of a mark => the trial that it stands for, or nothing
   */
  constructor(chart, plot, trialOf) {
    this.chart = chart
    this.trialOf = trialOf
    this.option = null
    this.marks = null // number of a trial to its marks; made when it is first asked for
    this.layer = s('svg', { class: 'marks', 'aria-hidden': 'true' })
    plot.append(this.layer)
  }

  /** The chart was drawn anew. */
  redraw(option) {
    this.option = option
    this.marks = null
    this.show(pointedTrial())
  }

  /** Mark a trial, or none. */
  show(number) {
    put(this.layer, number === null ? [] : (this.marksOf().get(number) ?? []).map((mark) => this.shapesOf(mark)))
  }

  /** The trial of the chart before or after another by number; the first or last where none is pointed at. */
  neighbour(number, step) {
    const numbers = [...this.marksOf().keys()].sort((left, right) => left - right)
    if (number === null) return step > 0 ? numbers[0] : numbers[numbers.length - 1]
    return step > 0 ? (numbers.find((one) => one > number) ?? number) : (numbers.findLast((one) => one < number) ?? number)
  }

  marksOf() {
    this.marks ??= marksOf(this.option?.series ?? [], this.trialOf)
    return this.marks
  }

  shapesOf({ form, points }) {
    const at = points.map((one) => this.chart.convertToPixel({ gridIndex: 0 }, one)).filter((one) => one?.every(Number.isFinite))
    if (!at.length) return []
    const [tag, place] = form === 'ring' ? ['circle', { cx: at[0][0], cy: at[0][1], r: 6.5 }] : ['polyline', { points: at.map((one) => one.join(',')).join(' ') }]
    // Twice, the wider one in the colour of the ground, so that it stands out from what lies under it.
    return ['ground', 'mark'].map((kind) => s(tag, { class: kind, ...place }))
  }
}

/** Points become rings; a line is drawn along; a stretch from the first to the second of its values lies at the third. */
function marksOf(series, trialOf) {
  const found = new Map()
  const add = (number, mark) => {
    if (number === null || number === undefined) return
    found.set(number, [...(found.get(number) ?? []), mark])
  }
  series.forEach(({ type, data = [], encode, name: seriesName }, seriesIndex) => {
    if (type === 'line') return void add(trialOf({ seriesIndex, seriesName }), { form: 'line', points: data.filter(([, value]) => value !== null) })
    data.forEach((item, dataIndex) => {
      const value = item.value ?? item
      const mark = { seriesIndex, seriesName, dataIndex, value }
      if (type === 'scatter') add(trialOf(mark), { form: 'ring', points: [value.slice(0, 2)] })
      else if (encode) add(trialOf(mark), { form: 'line', points: [[value[0], value[2]], [value[1], value[2]]] })
    })
  })
  return found
}
