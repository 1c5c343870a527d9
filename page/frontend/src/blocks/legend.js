// The key of outcomes: shape and colour with their word, and how many there are.
import { h, s } from '../dom.js'
import { count } from '../format.js'
import { OUTCOMES } from '../theme.js'

const SHAPES = {
  completed: () => s('circle', { cx: 6, cy: 6, r: 3.5, fill: 'var(--accent)' }),
  stopped: () => s('path', { d: 'M6 2L10.5 10H1.5Z', fill: 'var(--stopped)' }),
  infeasible: () => s('rect', { x: 2.5, y: 2.5, width: 7, height: 7, fill: 'none', stroke: 'var(--stopped)', 'stroke-width': 1.5 }),
  outside: () => s('path', { d: 'M6 2V10M2 6H10', stroke: 'var(--muted)', 'stroke-width': 2 }),
  failed: () => s('path', { d: 'M2.5 2.5L9.5 9.5M9.5 2.5L2.5 9.5', stroke: 'var(--failed)', 'stroke-width': 2 }),
  running: () => s('circle', { cx: 6, cy: 6, r: 3.2, fill: 'none', stroke: 'var(--muted)', 'stroke-width': 1.5 }),
  best: () => s('path', { d: 'M6 1L11 6L6 11L1 6Z', fill: 'var(--best)' }),
  line: () => s('path', { d: 'M0 6H12', stroke: 'var(--best)', 'stroke-width': 2.5 }),
  fit: () => s('path', { d: 'M0 6H12', stroke: 'var(--accent)', 'stroke-width': 2.5 }),
  cross: () => s('path', { d: 'M0 6H12M6 0V12', stroke: 'var(--ink)', 'stroke-width': 1.5 }),
  front: () => s('path', { d: 'M0 3H6V9H12', stroke: 'var(--best)', 'stroke-width': 2, fill: 'none' }),
  replicate: () => s('rect', { x: 1, y: 3, width: 10, height: 6, fill: 'var(--best)' }),
}

/** Entries are [shape, word] or, for an outcome, [outcome, undefined, n]. */
export function legend(entries) {
  return h(
    'div',
    { class: 'legend' },
    entries.map(([shape, word, n]) =>
      h('span', {}, s('svg', { width: 12, height: 12, 'aria-hidden': 'true' }, SHAPES[shape]()), word ?? OUTCOMES[shape].label, n === undefined ? '' : ` ${count(n)}`),
    ),
  )
}
