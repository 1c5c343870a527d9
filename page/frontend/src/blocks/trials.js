// The selected trials as a table, best first.
import { h, put } from '../dom.js'
import { duration, metric } from '../format.js'
import { isFiltered, model, onSelection, selectedOf } from '../model.js'
import { table } from '../table.js'
import { OUTCOMES, outcomeOf } from '../theme.js'

export function trialsCard() {
  const element = h('section', { class: 'card w12', id: 'trials' })
  const update = () => {
    const { trials } = model.page
    const what = isFiltered() ? `The selected trials, ${selectedOf()}, best first.` : 'Trials at the full budget first, best first; a heading sorts.'
    put(element, h('div', { class: 'top' }, h('h3', {}, 'Trials')), h('p', { class: 'about' }, [what, trials.note].filter(Boolean).join(' ')), table({ label: 'Trials', ...figures() }))
  }
  onSelection(update)
  return { element, update }
}

function figures() {
  const { trials, parameters, head } = model.page
  const ranked = new Set(model.ranked)
  const rows = [...model.ranked, ...trials.number.map((_, row) => row).filter((row) => !ranked.has(row))].filter((row) => model.mask[row])
  return {
    columns: [
      { name: 'trial', numeric: true, isTrial: true },
      { name: 'outcome' },
      ...head.goals.map(({ metric: name }) => ({ name, numeric: true, text: metric })),
      { name: 'epochs', numeric: true },
      { name: 'training time', numeric: true, text: duration },
      ...parameters.map(({ name }) => ({ name, numeric: !model.scales[name].isCategory, text: (value) => (typeof value === 'number' ? model.scales[name].text(value) : value) })),
    ],
    rows: rows.map((row) => [
      trials.number[row],
      OUTCOMES[outcomeOf(trials.state[row])].label,
      ...head.goals.map(({ metric: name }) => trials.metrics[name]?.[row] ?? null),
      trials.budget[row],
      trials.seconds[row],
      ...parameters.map(({ name }) => cell(name, row)),
    ]),
  }
}

function cell(name, row) {
  const value = model.page.trials.parameters[name][row]
  return value !== null && model.scales[name].isCategory ? model.scales[name].text(value) : value
}
