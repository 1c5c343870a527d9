// Completes names of tables, columns and macros while somebody types SQL.
import { h, put } from '../dom.js'

const WORDS = ['SELECT', 'FROM', 'WHERE', 'GROUP BY ALL', 'ORDER BY', 'LIMIT', 'JOIN', 'USING', 'HAVING', 'count(*)', 'median(', 'min(', 'max(', 'avg(', 'quantile_cont(', 'SUMMARIZE', 'DESCRIBE']
const SHOWN = 12

/** Adds completion to a text area: Tab or Enter takes the marked word, arrows move, Escape closes. */
export function complete(area, list, catalog) {
  let marked = 0
  let found = []

  const close = () => {
    found = []
    list.hidden = true
    area.removeAttribute('aria-activedescendant')
    area.setAttribute('aria-expanded', 'false')
  }
  const mark = () => {
    ;[...list.children].forEach((item, place) => item.setAttribute('aria-selected', String(place === marked)))
    area.setAttribute('aria-activedescendant', `completion-${marked}`)
    list.children[marked]?.scrollIntoView({ block: 'nearest' })
  }
  const take = (word) => {
    const start = wordBefore(area).start
    area.setRangeText(quoted(word), start, area.selectionStart, 'end')
    close()
    area.focus()
  }

  area.addEventListener('input', () => {
    const { word } = wordBefore(area)
    found = word.length ? matches(word, catalog()) : []
    if (!found.length) return close()
    marked = 0
    put(
      list,
      found.map((name, place) => h('li', { id: `completion-${place}`, role: 'option', onpointerdown: (event) => (event.preventDefault(), take(name)) }, name)),
    )
    list.hidden = false
    area.setAttribute('aria-expanded', 'true')
    return mark()
  })
  area.addEventListener('blur', close)
  return (event) => {
    if (!found.length) return false
    if (event.key === 'Escape') close()
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      marked = (marked + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length
      mark()
    } else if (event.key === 'Tab' || (event.key === 'Enter' && !event.ctrlKey && !event.metaKey)) take(found[marked])
    else return false
    event.preventDefault()
    return true
  }
}

function wordBefore(area) {
  const before = area.value.slice(0, area.selectionStart)
  const word = before.match(/[\w$]+$/)?.[0] ?? ''
  return { word, start: before.length - word.length }
}

function matches(word, { tables, macros }) {
  const names = [...Object.keys(tables), ...Object.values(tables).flat(), ...macros.map((name) => `${name}(`), ...WORDS]
  const lower = word.toLowerCase()
  const starting = names.filter((name) => name.toLowerCase().startsWith(lower) && name.toLowerCase() !== lower)
  return [...new Set(starting)].slice(0, SHOWN)
}

/** Names that are no plain word stand in quotes. */
function quoted(name) {
  return WORDS.includes(name) || /^[a-z_][\w]*\(?$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
