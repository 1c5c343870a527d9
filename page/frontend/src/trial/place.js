// A trial's page: opened by its number in the address, in the place of the study's; gives the way there and back.
import { isFile, look, onAddress } from '../address.js'
import { h, put } from '../dom.js'
import { count } from '../format.js'
import { model } from '../model.js'
import { compared, compareView } from './compare.js'
import { backLink } from './link.js'
import { trialView } from './view.js'

/**
 * The place of trials' pages.
 * @param study element that is hidden meanwhile
 * @param fetchLife asks the host for a trial's life; null in a file
 */
export function trialPlace(study, fetchLife) {
  const element = h('main', { hidden: true, id: 'trial' })
  let shown = null // the numbers of the trials whose page is open, as one text
  let view = null
  let scrolled = 0
  const show = async () => {
    const numbers = look('trial') !== null ? [look('trial')] : look('view') === 'compare' ? compared() : []
    if (!numbers.length) return close()
    if (shown === null) scrolled = scrollY
    // One page for each trial and one for each set of trials; a newer state of the same keeps the place on the page.
    const wanted = numbers.join(', ')
    const isNew = shown !== wanted
    shown = wanted
    study.hidden = true
    element.hidden = false
    if (isNew) {
      view?.remove()
      view = null
      document.title = `Trial${numbers.length > 1 ? 's' : ''} ${wanted} · ${model.page.head.study} · pegbox`
    }
    try {
      const lives = await Promise.all(numbers.map((one) => lifeOf(one, fetchLife)))
      if (shown !== wanted) return // another was asked for meanwhile
      view?.remove()
      view = look('trial') === null ? compareView(lives) : trialView(lives[0])
      put(element, view.element)
    } catch (error) {
      put(element, backLink({ trial: null, view: null }), h('p', { class: 'error', role: 'alert' }, error.message))
    }
    if (isNew) {
      scrollTo(0, 0)
      element.querySelector('h1')?.focus()
    }
  }
  const close = () => {
    if (shown === null) return
    view?.remove()
    view = null
    put(element)
    element.hidden = true
    study.hidden = false
    document.title = `${model.page.head.study} · pegbox`
    const from = shown
    shown = null
    scrollTo({ top: scrolled, behavior: 'instant' })
    study.querySelector(`.trial-link[data-trial="${from}"]`)?.focus({ preventScroll: true })
  }
  onAddress(show)
  return { element, update: show }
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
