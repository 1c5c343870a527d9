// The axis of a measured quantity: robust limits, linear or logarithmic, and how many values lie beyond its edges.
import { look, say } from './address.js'
import { axis } from './chart.js'
import { segmented } from './dom.js'
import { count, duration, niceRange, number } from './format.js'
import { usualRange } from './model.js'

/**
 * @param values numbers that are drawn
 * @param goal `minimize` or `maximize`: the far tail on the bad side may lie beyond the edge
 * @param wanted about so many ticks
 * @param share of the values that lie within the limits at least
 * @param text writes a tick
 * @returns {axis, at: value => place on the axis, within its limits; isBeyond: value => boolean, edge, isLog, beyond}
 */
export function valueScale(values, goal, { wanted = 4, share = 0.96, text = (value) => number(value) } = {}) {
  const [low, high] = usualRange(values, goal, share)
  const isLog = look('scale') === 'log' && low > 0
  const scale = isLog ? logarithmic(low, high, text) : linear(low, high, wanted, text)
  const isBeyond = (value) => value < scale.least || value > scale.most
  const clamp = (value) => Math.min(scale.most, Math.max(scale.least, value))
  return {
    axis: scale.axis,
    at: (value) => scale.place(clamp(value)),
    /** The same without the limits, for lines that leave the chart. */
    raw: (value) => (value === null ? null : scale.place(isLog ? Math.max(value, Number.MIN_VALUE) : value)),
    isBeyond,
    edge: scale.place(goal === 'minimize' ? scale.most : scale.least),
    isLog,
    beyond: values.filter(isBeyond).length,
  }
}

function linear(low, high, wanted, text) {
  const range = niceRange(low, high, wanted)
  return { least: range.min, most: range.max, place: (value) => value, axis: axis({ ...range, axisLabel: { formatter: text } }) }
}

/** Drawn on the logarithm, because the axis of the library writes powers of ten alone: none, where a range holds none. */
function logarithmic(low, high, text) {
  const [least, most] = low === high ? [low / 2, high * 2] : [low, high]
  const [from, to] = [Math.log10(least), Math.log10(most)]
  const pad = (to - from) * 0.04
  const ticks = logTicks(least, most)
  return {
    least: 10 ** (from - pad),
    most: 10 ** (to + pad),
    place: Math.log10,
    axis: axis({ min: from - pad, max: to + pad, axisLabel: { customValues: ticks.map(Math.log10), formatter: (at) => text(Number((10 ** at).toPrecision(6))) }, splitLine: { show: false } }),
  }
}

function logTicks(low, high) {
  const decades = Math.log10(high / low)
  const factors = decades > 4 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5]
  const found = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) for (const factor of factors) found.push(factor * 10 ** power)
  const within = found.filter((value) => value >= low * 0.999 && value <= high * 1.001)
  if (within.length > 2) return within
  // Within one decade round numbers say more than powers.
  const { min, max, interval } = niceRange(low, high, 5)
  return Array.from({ length: Math.round((max - min) / interval) + 1 }, (_, place) => Number((min + place * interval).toPrecision(12))).filter((value) => value > 0 && value >= low && value <= high)
}

/** Linear or logarithmic, for all axes of values at once. */
export function scaleSwitch(redraw) {
  return segmented('Scale of values', [['linear', 'linear'], ['log', 'log']], look('scale') === 'log' ? 'log' : 'linear', (value) => {
    say({ scale: value === 'log' ? 'log' : null })
    redraw()
  })
}

/** What lies beyond is said, because at the edge it looks nearer than it is. */
export function beyondNote({ beyond }, goal) {
  if (!beyond) return ''
  return ` ${beyond} beyond the ${goal === 'minimize' ? 'upper' : 'lower'} edge ${beyond === 1 ? 'is' : 'are'} marked there by a triangle.`
}

// Steps of clocks; below a second and beyond a day numbers are as round as others.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400]

/** An axis of seconds from 0, ticked as people write times. */
export function secondsAxis(last, changes = {}) {
  const rough = Math.max(last, 1e-9) / 5
  const step = rough < 1 || rough > 86400 ? niceRange(0, last || 1, 5).interval : STEPS.find((one) => one >= rough)
  return axis({ min: 0, max: Math.ceil((last || step) / step - 1e-9) * step, interval: step, ...changes, axisLabel: { formatter: (value) => (value === 0 ? '0' : duration(value)), ...changes.axisLabel } })
}

/** An axis of counts from 0, ticked at whole numbers; its end is written where it is one of them. */
export function countAxis(last, changes = {}) {
  const interval = Math.max(1, Math.ceil(niceRange(0, Math.max(1, last), 6).interval))
  return axis({ min: 0, max: Math.max(1, last), interval, ...changes, axisLabel: { formatter: (value) => count(value), showMaxLabel: Math.max(1, last) % interval === 0 } })
}

/** An axis of shares from 0, up to what the largest reaches. */
export function shareAxis(most) {
  const { max, interval } = niceRange(0, Math.min(1, Math.max(most, 0.01)), 4)
  return axis({ min: 0, max: Math.min(1, max), interval, axisLabel: { formatter: (value) => `${number(100 * value, 3)} %` } })
}
