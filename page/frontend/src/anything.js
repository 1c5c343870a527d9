// Shows a value of any shape that a schema may hold: numbers, texts, intervals, lists, matrices, tables.
import { h } from './dom.js'
import { metric, number } from './format.js'
import { table } from './table.js'

const isNothing = (value) => value === null || value === undefined || value === '' || (typeof value === 'object' && !Object.keys(value).length)
const isPlain = (value) => value === null || typeof value !== 'object'
const isObject = (value) => !isPlain(value) && !Array.isArray(value)
const isInterval = (value) => isObject(value) && typeof value.low === 'number' && typeof value.high === 'number'
const words = (name) => name.replaceAll('_', ' ')

/** The entries of an object that say something, each under its name. */
export function shownEntries(entries, about = {}) {
  return Object.entries(entries)
    .filter(([, value]) => !isNothing(value))
    .map(([name, value]) => h('div', { class: 'entry' }, h('div', { class: 'muted', title: about[name] ?? null }, words(name)), shown(value, words(name))))
}

/** An element or a text for a value. */
export function shown(value, label) {
  if (isPlain(value)) return h('div', {}, plain(value))
  if (isInterval(value)) return h('div', {}, interval(value))
  if (Array.isArray(value)) return shownList(value, label)
  const parts = Object.values(value)
  if (parts.every((part) => isPlain(part) || isInterval(part))) return pairs(value)
  if (parts.every(isObject)) return rowsTable(Object.entries(value).map(([name, row]) => ({ of: name, ...row })), label)
  if (parts.every((part) => Array.isArray(part) && part.every(isPlain) && part.length === parts[0].length)) return columnsTable(value, label)
  return h('div', { class: 'entries' }, shownEntries(value))
}

function shownList(list, label) {
  if (list.every(isPlain)) return list.every((one) => typeof one === 'string' && one.length > 24) ? h('ul', { class: 'facts-list' }, list.map((one) => h('li', {}, one))) : h('div', {}, list.map(plain).join(', '))
  if (list.every(isObject)) return rowsTable(list, label)
  if (list.every((row) => Array.isArray(row) && row.every(isPlain))) return table({ label, sortable: false, columns: ['row', ...list[0].map((_, at) => String(at + 1))].map((name, at) => ({ name, numeric: at > 0, text: plain })), rows: list.map((row, at) => [String(at + 1), ...row]) })
  return h('ul', { class: 'facts-list' }, list.map((one) => h('li', {}, shown(one, label))))
}

/** Objects of like fields as a table; what is nested in a cell is written short. */
function rowsTable(rows, label) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => rows.some((row) => !isNothing(row[name])))
  const isNumeric = (name) => rows.every((row) => isNothing(row[name]) || typeof row[name] === 'number')
  return table({ label, columns: names.map((name) => ({ name: words(name), numeric: isNumeric(name), text: short })), rows: rows.map((row) => names.map((name) => row[name] ?? null)) })
}

function columnsTable(columns, label) {
  const names = Object.keys(columns)
  return table({ label, columns: names.map((name) => ({ name, numeric: columns[name].every((one) => typeof one === 'number'), text: plain })), rows: columns[names[0]].map((_, at) => names.map((name) => columns[name][at])) })
}

function pairs(value) {
  return h('dl', { class: 'pairs' }, Object.entries(value).filter(([, part]) => !isNothing(part)).map(([name, part]) => [h('dt', {}, name), h('dd', {}, short(part))]))
}

function interval({ low, high, level }) {
  return `${metric(low)} to ${metric(high)}${typeof level === 'number' ? ` (${number(100 * level, 3)} % interval)` : ''}`
}

function short(value) {
  if (isPlain(value)) return plain(value)
  if (isInterval(value)) return interval(value)
  if (Array.isArray(value)) return value.map(short).join(', ')
  return Object.entries(value).map(([name, part]) => `${name} ${short(part)}`).join(', ')
}

function plain(value) {
  if (value === null) return '–'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'number' ? number(value) : value
}
