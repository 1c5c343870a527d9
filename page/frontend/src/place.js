// What stands in the place of the study while the address says so: a trial, trials or studies beside each other.
import { isFile, look, lookAll, onAddress } from './address.js'
import { h, put } from './dom.js'
import { count } from './format.js'
import { model } from './model.js'
import { point } from './pointing.js'
import { studiesBeside, studiesView } from './studies/view.js'
import { compared, compareView } from './trial/compare.js'
import { backLink } from './trial/link.js'
import { trialView } from './trial/view.js'

const NOWHERE = { trial: null, view: null }

/**
 * The place of what is not the study.
 * @param study element that is hidden meanwhile
 * @param host asks for a trial's life (`fetchLife`) and for studies beside each other (`fetchCompared`); empty in a file
 */
export function place(study, host) {
  const element = h('main', { hidden: true, id: 'trial' })
  let shown = null // what is open, by its title
  let drawn = '' // what it was drawn from
  let view = null
  let scrolled = 0
  const show = async () => {
    const wanted = wantedOf(host)
    if (!wanted) return close()
    if (shown === null) scrolled = scrollY
    // A newer state of the same keeps the place on the page.
    const isNew = shown !== wanted.title
    shown = wanted.title
    study.hidden = true
    element.hidden = false
    document.title = `${wanted.title} · ${model.page.head.study} · pegbox`
    if (isNew) {
      leave()
      point(null)
    }
    try {
      const content = await wanted.load()
      if (shown !== wanted.title) return // another was asked for meanwhile
      redraw(content, wanted.draw)
    } catch (error) {
      leave()
      put(element, backLink({ ...NOWHERE, with: null }), h('p', { class: 'error', role: 'alert' }, error.message))
    }
    if (isNew) {
      scrollTo(0, 0)
      element.querySelector('h1')?.focus()
    }
  }
  const leave = () => {
    view?.remove()
    view = null
    drawn = ''
  }
  const redraw = (content, draw) => {
    const { notes, trials, answer } = model.page
    const source = JSON.stringify([content, notes, trials.tags, answer?.trial])
    // What a reader has opened, ticked or begun to write stays, as long as there is nothing new; and what is being
    // written stays in any case.
    const isWriting = [...element.querySelectorAll('form input')].some((input) => input.value)
    if (view && (source === drawn || isWriting)) return
    leave()
    view = draw(content)
    drawn = source
    put(element, view.element)
  }
  const close = () => {
    if (shown === null) return
    const from = shown.match(/^Trial (\d+)$/)?.[1]
    leave()
    put(element)
    element.hidden = true
    study.hidden = false
    document.title = `${model.page.head.study} · pegbox`
    shown = null
    scrollTo({ top: scrolled, behavior: 'instant' })
    if (from) study.querySelector(`.trial-link[data-trial="${from}"]`)?.focus({ preventScroll: true })
  }
  onAddress(show)
  return { element, update: show }
}

/** What the address asks for: its title, how its data come, how it is drawn; null for the study itself. */
function wantedOf({ fetchLife, fetchCompared }) {
  const trial = look('trial')
  if (trial !== null) return { title: `Trial ${trial}`, load: () => lifeOf(trial, fetchLife), draw: trialView }
  const [trials, others] = [compared(), lookAll('with')]
  if (look('view') === 'compare' && trials.length)
    return { title: `Trials ${trials.join(', ')}`, load: () => Promise.all(trials.map((one) => lifeOf(one, fetchLife))), draw: compareView }
  if (look('view') === 'studies' && others.length)
    return { title: `Studies ${[model.page.head.study, ...others].join(', ')}`, load: () => studiesBeside(others, fetchCompared), draw: studiesView }
  return null
}

async function lifeOf(wanted, fetchLife) {
  const number = Number(wanted)
  if (!/^\d+$/.test(wanted)) throw new Error(`A trial is named by its number, such as trial=35, got ${JSON.stringify(wanted)}.`)
  if (!isFile) return fetchLife(number)
  const told = model.page.lives.find((one) => one.number === number)
  if (told) return told
  const row = model.rowOf.get(number)
  if (row === undefined) throw new Error(`This file does not hold trial ${number}. It tells of ${count(model.page.lives.length)} of ${count(model.page.head.n_trials)} trials; pegbox ui shows every one.`)
  return shortLife(row)
}

/** Of a trial that is drawn and no more: what the columns of all trials say of it. */
function shortLife(row) {
  const { trials, parameters } = model.page
  const exact = Object.fromEntries(parameters.flatMap(({ name }) => {
    const value = trials.parameters[name][row]
    return value === null ? [] : [[name, value]]
  }))
  return {
    number: trials.number[row],
    state: trials.state[row],
    metrics: Object.fromEntries(Object.entries(trials.metrics).flatMap(([name, column]) => (column[row] === null ? [] : [[name, column[row]]]))),
    budget: trials.budget[row],
    seconds: trials.seconds[row],
    configuration: Object.fromEntries(Object.entries(exact).map(([name, value]) => [name, model.scales[name].text(value)])),
    isShort: true,
  }
}
