// Which studies stand beside the page's own: ticked in a table, kept in the address, compared on a page of their own.
import { isFile, lookAll, say } from '../address.js'
import { MOST_BESIDE } from '../beside.js'
import { h, put } from '../dom.js'
import { model } from '../model.js'

/** True where the study can stand beside the page's own: live any can, in a file those that it was written with. */
export function canStandBeside(name) {
  const { head, compared } = model.page
  return name !== head.study && (!isFile || (compared?.studies.some((one) => one.study === name) ?? false))
}

/** A box that chooses a study. */
export function besideBox(name, redraw) {
  const isChosen = lookAll('with').includes(name)
  const box = h('input', {
    type: 'checkbox',
    checked: isChosen,
    'aria-label': `Compare with ${name}`,
    onchange: () => {
      const others = lookAll('with').filter((one) => one !== name)
      say({ with: box.checked ? [...others, name] : others })
      redraw()
    },
  })
  return box
}

/** Leads to the page that compares the chosen studies. */
export function besideBar() {
  const bar = h('div', { class: 'foot bar screen' })
  const update = () => {
    const others = lookAll('with').filter(canStandBeside)
    bar.hidden = !others.length
    const isFull = others.length >= MOST_BESIDE - 1
    put(bar, h('span', {}, `Chosen: ${others.join(', ')}${isFull ? ` (${MOST_BESIDE - 1} at most)` : ''}`), h('button', { type: 'button', disabled: others.length > MOST_BESIDE - 1, onclick: () => openBeside(others) }, 'Compare'))
  }
  return { element: bar, update }
}

/** Go to the page that compares this study with others. */
export function openBeside(others) {
  say({ view: 'studies', with: others.slice(0, MOST_BESIDE - 1) }, true)
}

/** The list of all studies compares any of them: the first that is ticked is the one the others stand beside. */
export function listChooser(linkTo) {
  const chosen = []
  const bar = h('div', { class: 'foot bar', hidden: true })
  const redraw = () => {
    bar.hidden = !chosen.length
    const [first, ...others] = chosen
    const isPossible = others.length && chosen.length <= MOST_BESIDE
    put(bar, h('span', { role: 'status' }, `Chosen: ${chosen.join(', ')}`), isPossible ? h('a', { href: `${linkTo(first)}&${new URLSearchParams([['view', 'studies'], ...others.map((one) => ['with', one])])}` }, 'Compare') : h('span', { class: 'muted' }, others.length ? `${MOST_BESIDE} at most` : 'choose another to compare'))
  }
  const box = (name) => {
    const input = h('input', { type: 'checkbox', checked: chosen.includes(name), 'aria-label': `Compare ${name}`, onchange: () => (input.checked ? chosen.push(name) : chosen.splice(chosen.indexOf(name), 1), redraw()) })
    return input
  }
  return { box, bar }
}

