// The linked highlight: the trial that is pointed at or focused in any view, which every view marks.
import { h } from './dom.js'
import { metric } from './format.js'
import { model } from './model.js'
import { OUTCOMES, outcomeOf } from './theme.js'

const listeners = new Set()
let pointed = null

/** The number of the trial that is pointed at; null for none. */
export const pointedTrial = () => pointed

/** Point at a trial, or at none. */
export function point(number) {
  const wanted = number ?? null
  if (wanted === pointed) return
  pointed = wanted
  for (const listener of listeners) listener(pointed)
}

/** Call when another trial is pointed at. */
export function onPoint(listener) {
  listeners.add(listener)
}

/** A row of any table, or a link to a trial, points at it: by pointer and by focus. */
export function followRows() {
  const linkAt = ({ target }) => target.closest?.('.trial-link') ?? target.closest?.('tr')?.querySelector('.trial-link')
  let isFromRow = false
  const enter = (event) => {
    const link = linkAt(event)
    if (link) point(Number(link.dataset.trial))
    else if (isFromRow) point(null)
    isFromRow = Boolean(link)
  }
  addEventListener('pointerover', enter)
  addEventListener('focusin', enter)
  addEventListener('focusout', () => isFromRow && point(null))
  onPoint(markRows)
}

function markRows(number) {
  for (const row of document.querySelectorAll('tr.pointed')) row.classList.remove('pointed')
  if (number !== null) for (const link of document.querySelectorAll(`td .trial-link[data-trial="${number}"]`)) link.closest('tr').classList.add('pointed')
}

/** Says which trial is pointed at, to whoever sees or hears it. */
export function pointedNote() {
  const element = h('div', { class: 'pointed-note', role: 'status' })
  onPoint((number) => (element.textContent = number === null ? '' : words(number)))
  return element
}

function words(number) {
  const { all, page } = model
  const row = all.number.indexOf(number)
  if (row < 0) return `Trial ${number}`
  const [{ metric: name }] = page.head.goals
  const value = all.metrics[name]?.[row] ?? null
  return [`Trial ${number}`, OUTCOMES[outcomeOf(all.state[row])].label, value === null ? null : `${name} ${metric(value)}`, model.rowOf.has(number) ? null : 'not drawn'].filter(Boolean).join(' · ')
}
