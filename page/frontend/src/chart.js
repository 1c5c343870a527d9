// A card with a chart that is drawn when it comes into view, its description, and the same figures as a table.
import { h, put } from './dom.js'
import { init } from './echarts.js'
import { Highlight } from './highlight.js'
import { onSelection } from './model.js'
import { onPoint, point, pointedTrial } from './pointing.js'
import { table } from './table.js'
import { colors, fade, onTheme } from './theme.js'
import { openTrial } from './trial/link.js'

const cards = new Set()
const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const card = entry.target.card
      card.isVisible = entry.isIntersecting
      if (card.isVisible) card.draw()
    }
  },
  { rootMargin: '250px' },
)
// Drawn ahead is what comes near; drawn again, for each move of a brush, is only what is in sight.
const sighted = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.isInSight = isIntersecting
    if (isIntersecting) target.card.draw()
  }
})

export class ChartCard {
  /**
   * @param title words of the heading
   * @param size class of the card's width, such as `w6`
   * @param height class of the chart's height, such as `h240`
   * @param about () => one sentence that says what is drawn
   * @param option the place's width in pixels => an ECharts option, or a text where there is nothing to draw
   * @param figures () => {columns, rows} for the table
   * @param controls elements beside the heading
   * @param legend () => element under the chart
   * @param trialOf what ECharts tells of a click => number of the trial that the mark stands for, or nothing
   * @param zooms true if Ctrl and the wheel, or + - 0, zoom
   * @param follows true if the chart shows the selected trials only
   */
  constructor(parts) {
    this.parts = parts
    this.chart = null
    this.isVisible = false // or near to it
    this.isInSight = false
    this.isDirty = true
    this.title = h('h3')
    this.about = h('p', { class: 'about' })
    this.plot = h('div', { class: `chart ${parts.height ?? 'h240'}`, role: 'img', tabindex: '0' })
    this.figures = h('div', { hidden: true })
    this.legend = h('div')
    this.toggle = h('button', { type: 'button', class: 'link', 'aria-expanded': 'false', onclick: () => this.showTable(this.figures.hidden) }, 'Show as table')
    this.element = h(
      'section',
      { class: `card ${parts.size ?? ''}`, id: parts.id },
      h('div', { class: 'top' }, this.title, parts.controls ?? []),
      this.about,
      this.plot,
      this.figures,
      h('div', { class: 'foot' }, this.legend, this.toggle),
    )
    this.plot.card = this
    this.plot.addEventListener('focus', () => this.draw())
    if (parts.zooms) this.makeZoomable()
    if (parts.trialOf) this.makeSteppable()
    seen.observe(this.plot)
    sighted.observe(this.plot)
    sized.observe(this.plot)
    cards.add(this)
    this.unfollow = parts.follows ? onSelection(() => this.update()) : () => {}
    this.update()
  }

  /** Draw again, now if it is in sight, else when it comes into it. */
  update() {
    this.isDirty = true
    put(this.title, typeof this.parts.title === 'function' ? this.parts.title() : this.parts.title)
    const about = this.parts.about()
    this.about.textContent = about
    this.plot.setAttribute('aria-label', `${this.title.textContent}. ${about}`)
    put(this.legend, this.parts.legend ? this.parts.legend() : [])
    this.legend.hidden = !this.parts.legend || !this.figures.hidden
    if (!this.figures.hidden) this.fillTable()
    if (this.isInSight) this.draw()
  }

  draw() {
    if (!this.isDirty || this.plot.hidden) return
    this.isDirty = false
    const option = this.parts.option(this.plot.clientWidth)
    // A key of marks and a table would stand for nothing.
    this.element.classList.toggle('blank', typeof option === 'string')
    if (typeof option === 'string') {
      this.dispose()
      put(this.plot, h('p', { class: 'empty' }, option))
      return
    }
    if (!this.chart) {
      put(this.plot)
      this.chart = init(this.plot, null, { renderer: 'canvas' })
      this.parts.ready?.(this.chart)
      if (this.parts.trialOf) this.followPointer()
    }
    if (!this.fits()) this.chart.resize()
    const shared = base(this.plot)
    const dataZoom = this.parts.zooms ? ['xAxisIndex', 'yAxisIndex'].map((which) => ({ type: 'inside', [which]: 0, filterMode: 'none', zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false, moveOnMouseMove: 'shift' })) : []
    this.chart.setOption({ ...shared, dataZoom, ...option, tooltip: { ...shared.tooltip, ...option.tooltip } }, { notMerge: true })
    this.highlight?.redraw(option)
  }

  /** Marks lead to their trials and point at them, as the arrow keys do. */
  followPointer() {
    const { trialOf } = this.parts
    this.highlight = new Highlight(this.chart, this.plot, trialOf)
    this.chart.on('click', (mark) => isTrial(trialOf(mark)) && openTrial(trialOf(mark)))
    this.chart.on('mouseover', (mark) => point(trialOf(mark)))
    this.chart.on('mouseout', () => point(null))
    this.chart.on('datazoom', () => this.highlight.show(pointedTrial()))
  }

  /** Left and right go through the trials of the chart, Enter opens the one that is pointed at. */
  makeSteppable() {
    this.plot.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
      if (event.ctrlKey || event.metaKey || event.altKey || !this.highlight) return
      if (event.key === 'Enter' && pointedTrial() !== null) openTrial(pointedTrial())
      if (!step) return
      event.preventDefault()
      point(this.highlight.neighbour(pointedTrial(), step))
    })
    this.plot.addEventListener('blur', () => point(null))
  }

  /** From the keyboard, too; the wheel alone goes on scrolling the page. */
  makeZoomable() {
    this.plot.title = 'Ctrl and the wheel zoom, Shift and the pointer move; + and - from the keyboard, 0 or a double click for all.'
    const zoom = (change) => {
      const [{ start = 0, end = 100 }] = this.chart?.getOption().dataZoom ?? [{}]
      const [middle, half] = [(start + end) / 2, ((end - start) / 2) * change]
      const wanted = change ? { start: Math.max(0, middle - half), end: Math.min(100, middle + half) } : { start: 0, end: 100 }
      for (const dataZoomIndex of [0, 1]) this.chart?.dispatchAction({ type: 'dataZoom', dataZoomIndex, ...wanted })
    }
    this.plot.addEventListener('dblclick', () => zoom(0))
    this.plot.addEventListener('keydown', (event) => {
      const change = { '+': 0.6, '-': 1 / 0.6, 0: 0 }[event.key]
      if (change === undefined || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      zoom(change)
    })
  }

  /** True while the chart is as large as its place. */
  fits() {
    return this.plot.clientWidth === this.chart.getWidth() && this.plot.clientHeight === this.chart.getHeight()
  }

  dispose() {
    this.chart?.dispose()
    this.chart = null
    this.highlight?.layer.remove()
    this.highlight = null
  }

  /** Leave the page for good. */
  remove() {
    seen.unobserve(this.plot)
    sighted.unobserve(this.plot)
    sized.unobserve(this.plot)
    cards.delete(this)
    this.unfollow()
    this.dispose()
    this.element.remove()
  }

  showTable(isShown) {
    this.figures.hidden = !isShown
    this.plot.hidden = isShown
    this.legend.hidden = isShown || !this.parts.legend
    this.toggle.textContent = isShown ? 'Show as chart' : 'Show as table'
    this.toggle.setAttribute('aria-expanded', String(isShown))
    if (isShown) this.fillTable()
    else this.draw()
  }

  fillTable() {
    put(this.figures, table({ ...this.parts.figures(), label: `${this.title.textContent}, as a table` }))
  }
}

/** Draw every chart again, at once where it can be seen. */
export function updateAll() {
  for (const card of cards) card.update()
}

/** Draw all charts, seen or not: paper shows them all. */
export function drawAll() {
  for (const card of cards) {
    card.draw()
    card.chart?.getZr().flush()
  }
}

onTheme(() => updateAll())
onPoint((number) => {
  for (const card of cards) if (card.isVisible && !card.plot.hidden) card.highlight?.show(number)
})
const isTrial = (number) => number !== null && number !== undefined
const sized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const { card } = target
    if (!card.chart || card.plot.hidden || card.fits()) continue
    card.isDirty = true
    if (card.isVisible) card.draw()
  }
})

function base(plot) {
  const { ink, raised, line } = colors()
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
    tooltip: {
      trigger: 'item',
      appendTo: document.body,
      className: 'tip-box',
      position: (point, _params, _box, _rect, { contentSize }) => beside(plot, point, contentSize),
      transitionDuration: 0,
      backgroundColor: raised,
      borderColor: line,
      padding: [6, 10],
      textStyle: { color: ink, fontSize: 12 },
      formatter: () => '',
    },
    grid: grid(),
  }
}

/** Where a tip stands: beside the pointer, and never beyond the window. */
function beside(plot, [x, y], [width, height]) {
  const { left, top } = plot.getBoundingClientRect()
  const inside = (at, size, offset, room) => {
    const after = at + 14
    const wanted = offset + after + size > room - 8 ? at - 14 - size : after
    return Math.max(8 - offset, Math.min(wanted, room - 8 - size - offset))
  }
  return [inside(x, width, left, innerWidth), inside(y, height, top, innerHeight)]
}

/** Room for a plot inside its labels. */
export function grid(changes = {}) {
  return { left: 4, right: 14, top: 10, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel', ...changes }
}

/** An axis in the page's manner. */
export function axis(changes = {}) {
  const { line, muted } = colors()
  const { axisLabel, ...rest } = changes
  return {
    type: 'value',
    axisLine: { show: false, onZero: false, lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: muted, fontSize: 11, hideOverlap: true, ...axisLabel },
    splitLine: { lineStyle: { color: line } },
    nameTextStyle: { color: muted, fontSize: 11 },
    ...rest,
  }
}

/** An axis whose ticks a scale names; values lie on [0, 1]. */
export function scaleAxis(scale, { pad = 0.02, ...changes } = {}) {
  const ticks = scale.ticks
  const text = new Map(ticks.map((tick) => [tick.at.toFixed(6), tick.text]))
  return axis({
    min: -pad,
    max: 1 + pad,
    splitLine: { show: false },
    ...changes,
    axisLabel: {
      customValues: ticks.map((tick) => tick.at),
      formatter: (at) => text.get(at.toFixed(6)) ?? '',
      ...changes.axisLabel,
    },
  })
}

/** What a pointer shows: a title and pairs of name and text. */
export function tip(title, pairs) {
  return h('div', { class: 'tip' }, h('b', {}, title), h('dl', {}, pairs.map(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])))
}

export { fade }

/** A staircase; drawn by hand, because a line series leaves out steps that are smaller than a pixel, and then slopes. */
export function staircase(points, color, { isAfter = true, width = 2.2, z = 5, dash = [] } = {}) {
  return {
    type: 'custom',
    silent: true,
    clip: true,
    z,
    renderItem: (params, api) => {
      if (params.dataIndex) return undefined
      const corners = points.map((point) => api.coord(point)).flatMap(([x, y], place, all) => {
        if (!place) return [[x, y]]
        const [before, level] = all[place - 1]
        return [isAfter ? [x, level] : [before, y], [x, y]]
      })
      return { type: 'polyline', shape: { points: corners }, style: { stroke: color, lineWidth: width, lineDash: dash, fill: 'none', lineJoin: 'round' } }
    },
    data: points.slice(0, 1),
  }
}

/** The page's font for words that a custom series draws. */
export function canvasFont() {
  return `11px ${getComputedStyle(document.body).fontFamily}`
}
