// Places values of a parameter or a metric on [0, 1] and says which ticks to write; draws nothing.
import { metric as metricText, number, niceRange } from './format.js'

const EXTRA_SHARE = 0.12

/** The scale of one parameter of the page. */
export function parameterScale(parameter) {
  return parameter.kind === 'category' ? categoryScale(parameter.values) : numberScale(parameter)
}

function categoryScale(values) {
  const count = values.length
  const unit = (position) => (position === null ? null : (position + 0.5) / count)
  const stride = Math.ceil(count / 12)
  return {
    isCategory: true,
    unit,
    text: (position) => (position === null ? 'inactive' : values[position]),
    textAt: (at) => values[Math.min(count - 1, Math.max(0, Math.floor(at * count)))],
    ticks: values.flatMap((text, position) => (position % stride ? [] : [{ at: unit(position), text }])),
  }
}

/** Some of a category's values alone; the others have no place. */
export function levelScale(scale, positions) {
  const unit = (position) => (positions.includes(position) ? (positions.indexOf(position) + 0.5) / positions.length : null)
  return { ...scale, unit, ticks: positions.map((position) => ({ at: unit(position), text: scale.text(position) })) }
}

function numberScale({ low, high, log, whole, extra }) {
  const below = extra.filter((value) => value < low)
  const above = extra.filter((value) => value > high)
  const start = below.length * EXTRA_SHARE
  const length = 1 - start - above.length * EXTRA_SHARE
  const scaled = log ? Math.log : (value) => value
  const [from, to] = [scaled(low), scaled(high)]
  const place = (value) => {
    const under = below.indexOf(value)
    if (under >= 0) return (under + 0.35) * EXTRA_SHARE
    const over = above.indexOf(value)
    if (over >= 0) return start + length + (over + 0.65) * EXTRA_SHARE
    return start + (length * (scaled(Math.min(high, Math.max(low, value))) - from)) / (to - from)
  }
  const inverse = (at) => {
    if (at < start) return below[Math.min(below.length - 1, Math.floor(at / EXTRA_SHARE))]
    if (at > start + length + 1e-9) return above[Math.min(above.length - 1, Math.floor((at - start - length) / EXTRA_SHARE))]
    const value = from + ((at - start) / length) * (to - from)
    const number = log ? Math.exp(value) : value
    return whole ? Math.round(number) : number
  }
  const text = (value) => (value === null ? 'inactive' : whole ? String(Math.round(value)) : number(value, 3))
  return {
    isCategory: false,
    unit: (value) => (value === null ? null : place(value)),
    text,
    textAt: (at) => text(inverse(at)),
    ticks: tickValues(low, high, log, whole, extra).map((value) => ({ at: place(value), text: tickText(value) })),
  }
}

/** The scale of a measured quantity between two ends; values beyond lie on the edge. */
export function metricScale(low, high, log = false) {
  const range = niceRange(low, high)
  const ticks = []
  for (let value = range.min; value <= range.max + range.interval / 2; value += range.interval) ticks.push(Number(value.toPrecision(12)))
  const place = (value) => Math.min(1, Math.max(0, (value - range.min) / (range.max - range.min)))
  return {
    isCategory: false,
    log,
    unit: (value) => (value === null || value === undefined ? null : place(value)),
    text: (value) => metricText(value),
    textAt: (at) => metricText(range.min + at * (range.max - range.min)),
    ticks: ticks.map((value) => ({ at: place(value), text: number(value) })),
  }
}

function tickValues(low, high, log, whole, extra) {
  if (!log) {
    const { min, interval } = niceRange(low, high, 4)
    const step = whole ? Math.max(1, Math.round(interval)) : interval
    const inner = []
    for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) inner.push(Number(value.toPrecision(12)))
    return withEnds(inner, low, high, (value) => (value - low) / (high - low), min, extra)
  }
  const decades = Math.log10(high / low)
  const base = whole && decades < 4 ? 2 : 10
  const [first, last] = [Math.ceil(Math.log(low) / Math.log(base) - 1e-9), Math.floor(Math.log(high) / Math.log(base) + 1e-9)]
  const stride = Math.max(1, Math.ceil((last - first + 1) / 6))
  const inner = []
  for (let power = first; power <= last; power += stride) inner.push(base ** power)
  return withEnds(inner, low, high, (value) => Math.log(value / low) / Math.log(high / low), 0, extra)
}

/** The ends are always written, and inner ticks only where they leave them room. */
function withEnds(inner, low, high, place, _min, extra) {
  const kept = inner.filter((value) => place(value) > 0.12 && place(value) < 0.86)
  return [...new Set([...extra, low, ...kept, high])]
}

/** A power of ten as 1e-3, other numbers as a person writes them. */
function tickText(value) {
  const power = Math.log10(Math.abs(value))
  if (value !== 0 && Math.abs(power - Math.round(power)) < 1e-9 && Math.round(power) <= -3) return `1e${Math.round(power)}`
  return number(value, 3)
}
