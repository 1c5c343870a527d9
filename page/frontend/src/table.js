// Tables with sortable columns; shows the first rows and says how many there are.
import { h, put } from './dom.js'
import { count, number } from './format.js'
import { trialLink } from './trial/link.js'

const SHOWN = 100

/**
 * A table in a scrolling box.
 * @param columns [{name, numeric?, isTrial?, text?: value => string}]; a trial's number leads to its page
 * @param rows arrays of raw values
 */
export function table({ columns, rows, label, sortable = true }) {
  let sorted = null
  let ascending = true
  const body = h('tbody')
  const heads = columns.map((column, place) =>
    h('th', { scope: 'col', class: column.numeric ? 'n' : null }, sortable ? h('button', { type: 'button', onclick: () => sort(place) }, column.name) : column.name),
  )
  const caption = h('caption')
  const fill = () => {
    put(body, rowsInOrder(rows, sorted, ascending).slice(0, SHOWN).map((row) => h('tr', {}, columns.map((column, place) => cell(column, row[place])))))
    put(caption, rows.length > SHOWN ? `The first ${SHOWN} of ${count(rows.length)} rows.` : '')
  }
  const sort = (place) => {
    ascending = sorted === place ? !ascending : true
    sorted = place
    heads.forEach((head, other) => head.setAttribute('aria-sort', other === place ? (ascending ? 'ascending' : 'descending') : 'none'))
    fill()
  }
  fill()
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, h('table', {}, caption, h('thead', {}, h('tr', {}, heads)), body))
}

function cell(column, value) {
  const isNumber = typeof value === 'number'
  const text = value === null || value === undefined ? '–' : column.isTrial ? trialLink(value) : column.text ? column.text(value) : isNumber ? number(value) : value
  return h('td', { class: column.numeric ? 'n' : 'text', title: isNumber && !Number.isInteger(value) ? String(value) : null }, text)
}

function rowsInOrder(rows, place, ascending) {
  if (place === null) return rows
  const sign = ascending ? 1 : -1
  return [...rows].sort((left, right) => {
    const [a, b] = [left[place], right[place]]
    if (a === null || a === undefined) return 1
    if (b === null || b === undefined) return -1
    return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)))
  })
}
