// Puts the blocks together in the order of the questions, and keeps them up to date.
import { answerCard } from './blocks/answer.js'
import { comparisonCard, studiesCard } from './blocks/compare.js'
import { curvesCard } from './blocks/curves.js'
import { dataCard, driftCard, scheduleCard } from './blocks/drift.js'
import { effectsSection } from './blocks/effects.js'
import { failuresCard } from './blocks/failures.js'
import { header } from './blocks/header.js'
import { interactionCard } from './blocks/interaction.js'
import { knobsCard } from './blocks/knobs.js'
import { lineageCard } from './blocks/lineage.js'
import { modelsCard } from './blocks/models.js'
import { nextCard } from './blocks/next.js'
import { notesCard } from './blocks/notes.js'
import { parallelCard } from './blocks/parallel.js'
import { populationCard } from './blocks/population.js'
import { progressCard } from './blocks/progress.js'
import { rungsCard } from './blocks/rungs.js'
import { surenessCard } from './blocks/sureness.js'
import { tradeoffCard } from './blocks/tradeoff.js'
import { trialsCard } from './blocks/trials.js'
import { volumeCard } from './blocks/volume.js'
import { workersCard } from './blocks/workers.js'
import { drawAll } from './chart.js'
import { h } from './dom.js'
import { clearFilters, isFiltered, load, model, onSelection, selectedOf, TRAINING_TIME } from './model.js'
import { followRows, pointedNote } from './pointing.js'
import { forPaper } from './theme.js'
import { place } from './place.js'

/**
 * Draw a page and return a function that takes a newer one.
 * @param live what only the live host has: tools for the header, a block for SQL, links to other studies, a trial's life, studies beside each other
 */
export function open(page, live = {}) {
  load(page)
  const selection = selectionBar() // first, so that it is the first to hear of a selection
  const top = header(live.tools ?? [])
  const ofSeveralGoals = page.head.goals.length > 1 ? [tradeoffCard({ id: 'pareto', title: 'Pareto front', across: () => model.page.head.goals[1].metric }), volumeCard()] : []
  const sections = [
    [null, [answerCard(), surenessCard(), knobsCard(), nextCard()]],
    [null, effectsSection()],
    ['Explore', [parallelCard(), interactionCard(), trialsCard(), notesCard()]],
    ['How it went', [...ofSeveralGoals, progressCard(), curvesCard(), populationCard(), tradeoffCard({ id: 'cost', title: 'Cost against quality', across: () => TRAINING_TIME }), failuresCard(), workersCard(), rungsCard()]],
    ['What came of it', [modelsCard()]],
    ['Where it comes from', [lineageCard(), driftCard(), dataCard(), scheduleCard(), comparisonCard(), studiesCard(live.linkTo)]],
    ['Ask', [live.control ? [live.control] : [], live.sql ?? askElsewhere()].flat()],
  ]
  const blocks = [top, ...sections.flatMap(([, content]) => content)]
  const study = h('main', { id: 'study' }, top.element, sections.map(([title, content]) => section(title, content)))
  const other = place(study, live)
  followRows()
  document.body.replaceChildren(skipLink(), study, other.element, selection.element, pointedNote())
  const update = (newer) => {
    if (newer) load(newer)
    document.title = `${model.page.head.study} · pegbox`
    for (const block of blocks) block.update()
    other.update()
    selection.update()
  }
  update()
  addEventListener('beforeprint', () => {
    forPaper(true)
    for (const block of blocks) block.update()
    drawAll()
  })
  addEventListener('afterprint', () => {
    forPaper(false)
    for (const block of blocks) block.update()
  })
  return update
}

function section(title, content) {
  if (!Array.isArray(content)) return content.element
  return h('section', {}, title ? h('h2', {}, title) : null, h('div', { class: 'grid' }, content.map((block) => block.element)))
}

/** No link to #answer: in a file the address after # says what is looked at. */
function skipLink() {
  const skip = () => {
    const answer = document.querySelector('main:not([hidden]) h1, main:not([hidden]) #answer')
    answer?.setAttribute('tabindex', '-1')
    answer?.focus()
  }
  return h('button', { type: 'button', class: 'skip', onclick: skip }, 'Skip to the answer')
}

/** A file holds the answer, not the history: SQL needs the store. */
function askElsewhere() {
  const words = ['SQL needs the store that this page was made from: ', h('code', {}, 'pegbox sql'), ' asks it in a terminal, ', h('code', {}, 'pegbox ui'), ' shows this page live with a console.']
  return { element: h('section', { class: 'card w12', id: 'ask' }, h('h3', {}, 'SQL'), h('p', { class: 'muted' }, words)), update: () => {} }
}

/** What is selected, always in sight while something is. */
function selectionBar() {
  const text = h('span', { role: 'status' })
  const bar = h('div', { class: 'selection', hidden: true }, text, h('button', { type: 'button', onclick: clearFilters }, 'Clear'))
  const update = () => {
    bar.hidden = !isFiltered()
    text.textContent = isFiltered() ? `${selectedOf()} selected` : ''
  }
  onSelection(update)
  return { element: bar, update }
}
