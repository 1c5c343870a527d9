// The models that the study ended in: what each is, how sure it is, where it comes from, and how it is used.
import { shownEntries } from '../anything.js'
import { copyButton, h, put } from '../dom.js'
import { bytes, moment, number } from '../format.js'
import { model } from '../model.js'
import { trialLink } from '../trial/link.js'

export function modelsCard() {
  const element = h('section', { class: 'card w12', id: 'models' })
  let drawn = ''
  const update = () => {
    const { rows, absence } = model.page.models
    element.hidden = !rows.length && !absence
    // What a reader has opened stays open while nothing is new.
    const wanted = JSON.stringify([rows, absence])
    if (wanted === drawn) return
    drawn = wanted
    const title = h('div', { class: 'top' }, h('h3', {}, rows.length < 2 ? 'Model' : 'Models'))
    if (!rows.length) put(element, title, h('p', { class: 'muted' }, `None. ${absence}`))
    else put(element, title, h('p', { class: 'about' }, 'What the study ended in: weights and the way from rows to numbers, in one file each. The promoted one stands first, then the newest.'), rows.map(shownModel))
  }
  return { element, update }
}

function shownModel(one, place) {
  const { title, limits, ...others } = one.card ?? {}
  const facts = [one.standing, one.form, `final: ${one.final}`, bytes(one.n_bytes), `made ${moment(one.made_at)}`]
  return h(
    'details',
    { class: 'model', open: place === 0 },
    h('summary', {}, h('b', {}, one.name), ` · ${facts.join(' · ')}`),
    title ? h('p', {}, title) : null,
    one.note ? h('p', { class: 'error' }, one.note) : null,
    h('p', { class: 'muted' }, 'Of ', trialLink(one.trial, `trial ${one.trial}`), heldOut(one)),
    one.card ? h('div', { class: 'entries' }, shownEntries(others, model.page.models.fields)) : null,
    limits?.length ? [h('div', { class: 'muted' }, 'limits'), h('ul', { class: 'limits' }, limits.map((limit) => h('li', {}, limit)))] : null,
    one.lineage ? h('details', {}, h('summary', {}, 'Lineage of the model'), h('div', { class: 'entries' }, shownEntries(one.lineage))) : null,
    one.commands.map((command) => h('div', { class: 'command' }, h('code', {}, command), copyButton('Copy', () => command))),
  )
}

function heldOut({ metrics, card }) {
  const texts = Object.entries(metrics).map(([name, value]) => `${name} ${number(value)}`)
  return texts.length && !card ? `; on held-out rows ${texts.join(', ')}` : '.'
}
