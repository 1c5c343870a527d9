// The colours of the style sheet as they are now, for what is drawn on a canvas; and the switch between schemes.
import { h } from './dom.js'

const NAMES = ['bg', 'card', 'raised', 'ink', 'muted', 'faint', 'line', 'accent', 'accent-soft', 'best', 'stopped', 'failed', 'heat-far', 'heat-near']
const KEY = 'pegbox-theme'
const ORDER = ['auto', 'light', 'dark']
const listeners = new Set()

/** Shapes go with the colours, so that neither is needed alone. */
export const OUTCOMES = {
  completed: { color: 'accent', symbol: 'circle', size: 5, label: 'completed' },
  stopped: { color: 'stopped', symbol: 'triangle', size: 6, label: 'stopped early' },
  infeasible: { color: 'stopped', symbol: 'path://M0 0H10V10H0ZM2 2V8H8V2Z', size: 7, label: 'outside the limits' },
  outside: { color: 'muted', symbol: 'path://M4 0H6V4H10V6H6V10H4V6H0V4H4Z', size: 7, label: 'outside the space' },
  failed: { color: 'failed', symbol: 'path://M0 1L1 0L5 4L9 0L10 1L6 5L10 9L9 10L5 6L1 10L0 9L4 5Z', size: 7, label: 'failed' },
  running: { color: 'muted', symbol: 'path://M5 0A5 5 0 1 1 4.99 0ZM5 2A3 3 0 1 0 5.01 2Z', size: 6, label: 'unfinished' },
}

/** Lines and marks beside each other: dashes and shapes (in a box of ten) go with the colours. */
export const SERIES = [
  { color: 'best', dash: [], shape: 'M5 0L10 5L5 10L0 5Z' },
  { color: 'accent', dash: [], shape: 'M5 1A4 4 0 1 1 4.99 1Z' },
  { color: 'stopped', dash: [7, 4], shape: 'M5 1L10 9.5H0Z' },
  { color: 'accent', dash: [3, 3], shape: 'M1 1H9V9H1Z' },
  { color: 'muted', dash: [], shape: 'M0 1H10L5 9.5Z' },
  { color: 'failed', dash: [10, 3, 2, 3], shape: 'M4 0H6V4H10V6H6V10H4V6H0V4H4Z' },
  { color: 'muted', dash: [4, 4], shape: 'M5 0A5 5 0 1 1 4.99 0ZM5 2A3 3 0 1 0 5.01 2Z' },
]

/** Which outcome a trial's state counts as. */
export function outcomeOf(state) {
  return state in OUTCOMES ? state : 'running'
}

let cached = null

/** Colour names to values that a canvas understands. */
export function colors() {
  if (cached) return cached
  const probe = h('span', { class: 'offscreen' })
  document.body.append(probe)
  cached = {}
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`
    cached[name] = getComputedStyle(probe).color
  }
  probe.remove()
  return cached
}

/** The same colour, partly see-through. */
export function fade(color, alpha) {
  const parts = color.match(/[\d.]+/g)
  return `rgba(${parts[0]}, ${parts[1]}, ${parts[2]}, ${alpha})`
}

/** A colour on the way from one to another. */
export function mix(from, to, share) {
  const [start, end] = [from, to].map((color) => color.match(/[\d.]+/g).slice(0, 3).map(Number))
  return `rgb(${start.map((part, place) => Math.round(part + share * (end[place] - part))).join(', ')})`
}

/** Call when the scheme changes. */
export function onTheme(listener) {
  listeners.add(listener)
}

function changed() {
  cached = null
  for (const listener of listeners) listener()
}

function stored() {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

/** A button that goes through automatic, light and dark. */
export function themeButton() {
  let theme = ORDER.includes(stored()) ? stored() : 'auto'
  const button = h('button', { type: 'button', class: 'theme' })
  const apply = () => {
    if (theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    button.textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[theme]
    button.setAttribute('aria-label', `Colour scheme: ${button.textContent}`)
  }
  apply()
  button.addEventListener('click', () => {
    theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length]
    try {
      localStorage.setItem(KEY, theme)
    } catch {
      // A browser that stores nothing for files still shows the scheme now.
    }
    apply()
    changed()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed)
  return button
}

/** Draw for paper: the light scheme, whatever the screen has. */
export function forPaper(isPrinting) {
  if (isPrinting) document.documentElement.dataset.paper = ''
  else delete document.documentElement.dataset.paper
  changed()
}
