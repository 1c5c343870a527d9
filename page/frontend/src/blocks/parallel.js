// Parallel coordinates: every drawn trial as a line; a stretch chosen on an axis filters every view.
import { h, put } from '../dom.js'
import { count } from '../format.js'
import { clearFilters, filter, isFiltered, model, onSelection } from '../model.js'
import { onPoint, point, pointedTrial } from '../pointing.js'
import { table } from '../table.js'
import { colors, fade, onTheme } from '../theme.js'
import { openTrial } from '../trial/link.js'

const MOST_LINES = 1200
const MOST_AXES = 14 // picked by hand: more, and names and lines cannot be told apart
const SIDE = 44
const TOP = 48
const BOTTOM = 40

export function parallelCard() {
  const behind = h('canvas', { 'aria-hidden': 'true' })
  const front = h('canvas', { 'aria-hidden': 'true' })
  const marked = h('canvas', { class: 'screen', 'aria-hidden': 'true' })
  const handles = h('div')
  const plane = h('div', { class: 'plane' }, behind, front, marked, handles)
  const about = h('p', { class: 'about' })
  const figures = h('div', { hidden: true })
  const plot = h('div', { class: 'parallel' }, plane)
  const toggle = h('button', { type: 'button', class: 'link', 'aria-expanded': 'false' }, 'Show as table')
  const element = h(
    'section',
    { class: 'card w8', id: 'parallel' },
    h('div', { class: 'top' }, h('h3', {}, 'Parallel coordinates')),
    about,
    plot,
    figures,
    h('div', { class: 'foot' }, toggle),
  )
  const more = h('button', { type: 'button', class: 'link', hidden: true, onclick: () => ((isWhole = !isWhole), update()) })
  element.querySelector('.foot').prepend(more)
  let isWhole = false
  let lines = []
  let all = []

  toggle.addEventListener('click', () => {
    figures.hidden = !figures.hidden
    plot.hidden = !figures.hidden
    toggle.textContent = figures.hidden ? 'Show as table' : 'Show as chart'
    toggle.setAttribute('aria-expanded', String(!figures.hidden))
    if (figures.hidden) update()
    else put(figures, figuresOf(all))
  })

  const update = () => {
    all = shownAxes(isWhole)
    more.hidden = model.axes.length <= MOST_AXES
    more.textContent = isWhole ? `Show the ${MOST_AXES} most important axes` : `Show all ${model.axes.length} axes`
    plane.style.setProperty('--axes', all.length)
    lines = drawnRows()
    const extra = lines.length < model.page.trials.number.length ? ` ${count(lines.length)} lines are drawn; a filter selects among ${count(model.page.trials.number.length)} trials${model.page.trials.note ? ' of the sample' : ''}.` : ''
    const isEmpty = !model.ranked.length && model.axes.length - model.page.head.goals.length < 2
    plot.hidden = isEmpty || !figures.hidden
    about.textContent = isEmpty ? 'A line needs two axes: no trial has a value yet.' : `Each line is a trial, the better the bolder. Drag along an axis, or focus it and use the arrow keys, to filter every view; Escape clears.${extra}`
    placeAxes()
    isFaded = null
    drawBehind()
    drawFront()
    drawMarked(pointedTrial())
  }

  const placeAxes = () => {
    const width = Math.max(plot.clientWidth, plane.clientWidth)
    const room = (width - 2 * SIDE) / Math.max(1, all.length - 1)
    plane.style.setProperty('--room', `${Math.max(40, room - 10)}px`)
    plane.style.setProperty('--name-room', `${Math.max(80, 2 * room - 14)}px`)
    if (handles.children.length !== all.length || all.some((axis, place) => handles.children[place].dataset.name !== axis.name)) {
      put(handles, all.map((axis) => axisHandle(axis.name, () => all.find((one) => one.name === axis.name))))
    }
    all.forEach((axis, place) => {
      const handle = handles.children[place]
      handle.style.left = `${SIDE + place * room}px`
      handle.classList.toggle('last', place === all.length - 1)
      handle.refresh(axis)
    })
  }

  let isFaded = null
  const drawBehind = () => {
    if (isFaded === isFiltered()) return
    isFaded = isFiltered()
    const { faint } = colors()
    stroke(clean(behind, plane), lines, all, plane, () => [fade(faint, isFaded ? 0.16 : Math.max(0.05, Math.min(0.35, 60 / lines.length))), 1])
  }

  const drawFront = () => {
    const { accent, best } = colors()
    const wanted = new Set(lines)
    const worstFirst = model.ranked.filter((row) => model.mask[row] && wanted.has(row)).reverse()
    const alpha = Math.max(0.1, Math.min(0.7, 90 / worstFirst.length))
    const winner = model.page.answer?.trial
    stroke(clean(front, plane), worstFirst, all, plane, (row, place) => {
      if (model.page.trials.number[row] === winner) return [best, 2.4]
      const rank = (place + 1) / worstFirst.length
      return [fade(accent, alpha * (0.25 + 0.75 * rank ** 3)), rank > 0.9 ? 1.5 : 1]
    })
  }

  const drawMarked = (number) => {
    const row = model.rowOf.get(number)
    const context = clean(marked, plane)
    if (row === undefined) return
    const { ink, card } = colors()
    // Twice, the wider one in the colour of the ground, so that it stands out from what lies under it.
    for (const style of [[card, 6], [ink, 2.4]]) stroke(context, [row], all, plane, () => style)
  }
  onPoint((number) => plot.clientWidth && drawMarked(number))
  plane.addEventListener('pointermove', (event) => {
    if (!event.buttons) point(event.target.closest('.axis') ? null : trialAt(event, plane, lines, all))
  })
  plane.addEventListener('pointerleave', () => point(null))
  plane.addEventListener('click', (event) => {
    const trial = event.target.closest('.axis') ? null : trialAt(event, plane, lines, all)
    if (trial !== null) openTrial(trial)
  })

  onSelection(() => {
    for (const handle of handles.children) handle.refresh(all.find((axis) => axis.name === handle.dataset.name))
    drawBehind()
    drawFront()
    if (!figures.hidden) put(figures, figuresOf(all))
  })
  onTheme(update)
  new ResizeObserver(() => plot.clientWidth && model.page && update()).observe(plot)
  return { element, update }
}

/** Parameters by how much they explain, as far as that is known, then the objectives; of many the first. */
function shownAxes(isWhole) {
  const place = new Map(model.page.analysis.knobs.rows.map((row, at) => [row.name, at]))
  const rank = (axis) => place.get(axis.name) ?? Infinity
  const parameters = model.axes.filter((axis) => !axis.isObjective).sort((left, right) => rank(left) - rank(right) || 0)
  const objectives = model.axes.filter((axis) => axis.isObjective)
  return [...parameters.slice(0, isWhole ? undefined : MOST_AXES - objectives.length), ...objectives]
}

/** All trials, or the best and an even sample of the others. */
function drawnRows() {
  const rows = model.page.trials.number.map((_, row) => row)
  if (rows.length <= MOST_LINES) return rows
  const kept = new Set(model.ranked.slice(0, 150))
  const stride = rows.length / (MOST_LINES - kept.size)
  for (let place = 0; place < rows.length; place += stride) kept.add(rows[Math.floor(place)])
  return [...kept]
}

function clean(canvas, plane) {
  const ratio = Math.max(1, window.devicePixelRatio || 1)
  const [width, height] = [plane.clientWidth, plane.clientHeight]
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const context = canvas.getContext('2d')
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  return context
}

/** Where lines cross the axes, in pixels: across by the axis, down by the axis and the row; null down for no value. */
function placesOn(plane, all) {
  const [width, height] = [plane.clientWidth, plane.clientHeight]
  const room = (width - 2 * SIDE) / Math.max(1, all.length - 1)
  const y = (axis, row) => {
    const at = axis.at[row]
    if (Number.isNaN(at)) return axis.isObjective ? null : height - BOTTOM + 16
    const spread = axis.scale.isCategory ? (((model.page.trials.number[row] * 7919) % 101) / 101 - 0.5) * 0.05 : 0
    return TOP + (height - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, at + spread)))
  }
  return { room, x: (position) => SIDE + position * room, y }
}

function stroke(context, rows, all, plane, look) {
  const { x, y } = placesOn(plane, all)
  rows.forEach((row, place) => {
    const [style, lineWidth] = look(row, place)
    context.strokeStyle = style
    context.lineWidth = lineWidth
    context.beginPath()
    all.forEach((axis, position) => {
      const at = y(axis, row)
      if (at === null) return
      if (position) context.lineTo(x(position), at)
      else context.moveTo(x(0), at)
    })
    context.stroke()
  })
}

// Pixels from a line at which it counts as pointed at; picked by hand.
const REACH = 6

/** The number of the selected trial whose line is nearest to the pointer; null where none is near. */
function trialAt(event, plane, lines, all) {
  const box = plane.getBoundingClientRect()
  const [across, down] = [event.clientX - box.left, event.clientY - box.top]
  const { room, y } = placesOn(plane, all)
  const place = Math.floor((across - SIDE) / room)
  if (all.length < 2 || place < 0 || place > all.length - 2) return null
  const share = (across - SIDE) / room - place
  let [nearest, least] = [null, REACH]
  for (const row of lines) {
    if (!model.mask[row]) continue
    const [left, right] = [y(all[place], row), y(all[place + 1], row)]
    if (left === null || right === null) continue
    const distance = Math.abs(left + share * (right - left) - down)
    if (distance < least) [nearest, least] = [row, distance]
  }
  return nearest === null ? null : model.page.trials.number[nearest]
}

/** One axis: its name, ticks and brush; by pointer and by keyboard. */
function axisHandle(name, current) {
  const brush = h('div', { class: 'brush', hidden: true })
  const ticks = h('div')
  const off = h('div', { class: 'off' })
  const label = h('div', { class: 'name', title: name }, name)
  const element = h('div', { class: 'axis', tabindex: '0', role: 'slider', 'aria-orientation': 'vertical', 'aria-valuemin': '0', 'aria-valuemax': '100', 'data-name': name }, label, ticks, off, brush)
  let from = null
  const at = (event) => {
    const box = element.getBoundingClientRect()
    return Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height))
  }
  element.addEventListener('pointerdown', (event) => {
    if (event.button) return
    from = at(event)
    element.setPointerCapture(event.pointerId)
  })
  element.addEventListener('pointermove', (event) => {
    if (from === null) return
    const to = at(event)
    if (Math.abs(to - from) > 0.01) filter(name, widened(current(), Math.min(from, to), Math.max(from, to)))
  })
  element.addEventListener('pointerup', (event) => {
    if (from !== null && Math.abs(at(event) - from) <= 0.01) filter(name, null)
    from = null
  })
  element.addEventListener('pointercancel', () => (from = null))
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') return event.shiftKey ? clearFilters() : filter(name, null)
    const step = { ArrowUp: 0.05, ArrowDown: -0.05, PageUp: 0.25, PageDown: -0.25 }[event.key]
    if (!step) return undefined
    event.preventDefault()
    const [low, high] = model.filters.get(name) ?? (step > 0 ? [-0.02, 0.28] : [0.72, 1.02])
    if (!model.filters.has(name)) return filter(name, [low, high])
    if (event.shiftKey) return filter(name, [low, Math.min(1.02, Math.max(low + 0.02, high + step))])
    const shift = Math.min(1.02 - high, Math.max(-0.02 - low, step))
    return filter(name, [low + shift, high + shift])
  })
  element.refresh = (axis) => {
    put(ticks, axis.scale.ticks.map((tick) => placed(h('div', { class: 'tick' }, tick.text), tick.at)))
    put(off, axis.condition ? 'inactive' : '')
    element.title = axis.condition ? `Active where ${axis.condition}` : ''
    const stretch = model.filters.get(name)
    brush.hidden = !stretch
    if (stretch) {
      const [low, high] = [Math.max(0, stretch[0]), Math.min(1, stretch[1])]
      brush.style.bottom = `${low * 100}%`
      brush.style.height = `${(high - low) * 100}%`
    }
    const text = stretch ? `${axis.scale.textAt(Math.max(0, stretch[0]))} to ${axis.scale.textAt(Math.min(1, stretch[1]))}` : 'all'
    element.setAttribute('aria-label', `Filter by ${name}`)
    element.setAttribute('aria-valuenow', String(Math.round(100 * (stretch ? stretch[1] : 1))))
    element.setAttribute('aria-valuetext', text)
  }
  return element
}

function placed(element, at) {
  element.style.bottom = `${at * 100}%`
  return element
}

/** A stretch that reaches an end takes the end with it. */
function widened(_axis, low, high) {
  return [low < 0.01 ? -0.02 : low, high > 0.99 ? 1.02 : high]
}

function figuresOf(all) {
  const { trials } = model.page
  const rows = trials.number.flatMap((number, row) =>
    model.mask[row]
      ? [[number, trials.state[row], ...model.page.parameters.map(({ name }) => value(name, row)), ...model.page.head.goals.map(({ metric }) => trials.metrics[metric]?.[row] ?? null)]]
      : [],
  )
  return table({
    label: 'Selected trials',
    columns: [{ name: 'trial', numeric: true, isTrial: true }, { name: 'state' }, ...all.map((axis) => ({ name: axis.name, numeric: !axis.scale.isCategory }))],
    rows,
  })
}

function value(name, row) {
  const raw = model.page.trials.parameters[name][row]
  return raw !== null && model.scales[name].isCategory ? model.scales[name].text(raw) : raw
}
