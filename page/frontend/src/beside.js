// Things beside each other: a table of what differs among them, a key of their lines.
import { h, put, s } from './dom.js'
import { table } from './table.js'
import { SERIES } from './theme.js'

/** As many as lines can be told apart. */
export const MOST_BESIDE = SERIES.length

/** The key of lines that are drawn as `SERIES`, in its order. */
export function lineLegend(names) {
  return keyOf(names, 26, ({ color, dash }) => s('path', { d: 'M0 6H26', stroke: `var(--${color})`, 'stroke-width': 2, 'stroke-dasharray': dash.join(' ') || null, fill: 'none' }))
}

/** The same of marks. */
export function markLegend(names) {
  return keyOf(names, 12, ({ color, shape }) => s('path', { d: shape, transform: 'translate(1 1)', fill: `var(--${color})` }))
}

function keyOf(names, width, draw) {
  return h('div', { class: 'legend' }, names.map((name, place) => h('span', {}, s('svg', { width, height: 12, 'aria-hidden': 'true' }, draw(SERIES[place % SERIES.length])), name)))
}

/**
 * A card with a row for each of several entries and a column for each of the compared; first only what differs.
 * @param heads names of the compared
 * @param rows [{name, texts, keys?}]: what is shown, and what decides whether it differs where that is another
 * @param noun word for an entry, in singular and plural
 */
export function differingCard({ id, title, heads, rows, noun, size = '' }) {
  const differs = ({ texts, keys = texts }) => new Set(keys.map((key) => JSON.stringify(key ?? null))).size > 1
  const differing = rows.filter(differs)
  const place = h('div')
  const toggle = h('input', { type: 'checkbox', checked: true, onchange: () => fill() })
  const fill = () => {
    const shown = toggle.checked ? differing : rows
    put(place, shown.length ? table({ label: title, sortable: false, columns: [{ name: noun[0], text: (row) => (differs(row) ? h('b', {}, row.name) : row.name) }, ...heads.map((name) => ({ name }))], rows: shown.map((row) => [row, ...row.texts]) }) : [])
  }
  fill()
  const about = differing.length ? `${differing.length} of ${rows.length} ${noun[rows.length === 1 ? 0 : 1]} differ${differing.length === 1 ? 's' : ''}.` : `Nothing differs among ${rows.length} ${noun[rows.length === 1 ? 0 : 1]}.`
  return h(
    'section',
    { class: `card ${size}`, id },
    h('div', { class: 'top' }, h('h2', { class: 'h3' }, title), h('label', { class: 'choice' }, toggle, 'only what differs')),
    h('p', { class: 'about' }, about),
    place,
  )
}
