// Numbers, durations and dates as a person would write them; the same rules as report/number_format.py.
import { h } from './dom.js'

/** As many significant digits, in the shortest usual form. */
export function number(value, digits = 4) {
  if (value === null || value === undefined) return '–'
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  const exponent = Math.floor(Math.log10(Math.abs(value)))
  if (exponent > -3 && exponent < 6) {
    const text = value.toFixed(Math.max(0, digits - 1 - exponent))
    return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text
  }
  const [mantissa, power] = value.toExponential(digits - 1).split('e')
  return `${mantissa.includes('.') ? mantissa.replace(/0+$/, '').replace(/\.$/, '') : mantissa}e${Number(power)}`
}

/** A measured number; trailing zeros are kept. */
export function metric(value, digits = 4) {
  if (value === null || value === undefined) return '–'
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return String(value)
  const exponent = Math.floor(Math.log10(Math.abs(value)))
  if (exponent > -3 && exponent < 6) return value.toFixed(Math.max(0, digits - 1 - Math.max(exponent, -1)))
  const [mantissa, power] = value.toExponential(digits - 1).split('e')
  return `${mantissa}e${Number(power)}`
}

/** A count with thousands apart. */
export function count(value) {
  return value.toLocaleString('en-GB')
}

/** A count with its noun. */
export function counted(value, noun, nouns = `${noun}s`) {
  return `${count(value)} ${value === 1 ? noun : nouns}`
}

/** A share as a person writes it. */
export function percent(share) {
  if (share === null || share === undefined) return '–'
  if (share > 0 && share < 0.005) return 'under 1\u00a0%'
  if (share >= 0.995 && share < 1) return 'over 99\u00a0%'
  return `${Math.round(100 * share)}\u00a0%`
}

/** A size of memory or of a file. */
export function bytes(value) {
  if (value === null || value === undefined) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)))
  return `${number(value / 1024 ** power, 3)} ${units[power]}`
}

/** A span of time in at most two units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–'
  if (seconds < 59.5) return `${seconds < 9.95 ? number(seconds, 2) : Math.round(seconds)} s`
  const whole = Math.round(seconds)
  if (whole < 600) return twoUnits(whole, 60, 'min', 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return twoUnits(minutes, 60, 'h', 'min')
  return twoUnits(Math.round(seconds / 3600), 24, 'd', 'h')
}

function twoUnits(amount, large, largeUnit, smallUnit) {
  const rest = amount % large
  return `${Math.floor(amount / large)} ${largeUnit}${rest ? ` ${rest} ${smallUnit}` : ''}`
}

/** Date and time of a moment in the reader's own time zone. */
export function moment(unix) {
  if (unix === null || unix === undefined) return '–'
  const date = new Date(unix * 1000)
  const pad = (value) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`
}

/** The same in a table, where it stays in one line. */
export function when(unix) {
  return h('time', {}, moment(unix))
}

/** Time of day. */
export function clock(unix, withSeconds = false) {
  const date = new Date(unix * 1000)
  const pad = (value) => String(value).padStart(2, '0')
  return `${pad(date.getHours())}:${pad(date.getMinutes())}${withSeconds ? `:${pad(date.getSeconds())}` : ''}`
}

/** Round ends and a step for an axis from low to high. */
export function niceRange(low, high, wanted = 4) {
  if (!(high > low)) {
    const pad = Math.abs(low) * 0.1 || 1
    return niceRange(low - pad, high + pad, wanted)
  }
  const rough = (high - low) / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)
  const clean = (value) => Number(value.toPrecision(12))
  return { min: clean(Math.floor(low / step + 1e-9) * step), max: clean(Math.ceil(high / step - 1e-9) * step), interval: clean(step) }
}
