// The language of the search field: words and conditions, all of which a trial must meet; touches no element.
//
//     state:failed kind:timeout tag:good best:20 lr<=1e-3 optimizer=adamw optimizer!=sgd "two words" 35
import { OUTCOMES, outcomeOf } from './theme.js'

const CONDITION = /^("(?:[^"]+)"|[^\s"<>=!:]+)(<=|>=|!=|<|>|=|:)("(?:[^"]*)"|\S+)$/
const COMPARE = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
}

/** The parts of a query; quotes hold white space together. */
export function partsOf(query) {
  return query.match(/(?:"[^"]*"|[^\s"])+/g) ?? []
}

/**
 * What a query asks of the rows of some trials.
 * @param query as it was typed
 * @param trials the columns of `Trials`
 * @param page for parameters
 * @param rank gives the rows of trials at the full budget, best first
 * @returns {test: row => boolean, problems: texts}; a part that is not understood selects nothing
 */
export function compile(query, trials, page, rank) {
  const problems = []
  const tests = partsOf(query).map((part) => {
    const found = part.match(CONDITION)
    if (!found) return words(unquoted(part), trials, page)
    const [name, sign, value] = [unquoted(found[1]), found[2], unquoted(found[3])]
    const test = name === 'best' ? amongBest(sign, value, rank) : condition(name, sign, value, trials, page)
    if (typeof test === 'function') return test
    problems.push(test)
    return () => false
  })
  return { test: (row) => tests.every((one) => one(row)), problems }
}

const unquoted = (text) => text.replace(/^"(.*)"$/, '$1')

/** A test, or a sentence that says what is wrong. */
function condition(name, sign, value, trials, page) {
  const parameter = page.parameters.find((one) => one.name === name)
  if (parameter?.kind === 'category') return category(parameter, sign, value, trials)
  const column = parameter ? trials.parameters[name] : numbersOf(name, trials)
  if (column) return numeric(name, sign, value, column)
  const text = textsOf(name, trials)
  if (text) return textual(name, sign, value, text)
  const known = [...page.parameters.map((one) => one.name), ...Object.keys(trials.metrics), 'best', 'state', 'kind', 'message', 'tag', 'trial', 'budget', 'seconds']
  return `Nothing is called ${JSON.stringify(name)}. ${closest(name, known)}Known: ${known.join(', ')}.`
}

function numbersOf(name, trials) {
  return { trial: trials.number, number: trials.number, budget: trials.budget, epochs: trials.budget, seconds: trials.seconds }[name] ?? trials.metrics[name]
}

function textsOf(name, trials) {
  return {
    state: (row) => [trials.state[row], OUTCOMES[outcomeOf(trials.state[row])].label],
    kind: (row) => [trials.failure[row]],
    failure: (row) => [trials.failure[row]],
    message: (row) => [messageOf(trials, row)],
    tag: (row) => trials.tags?.[row] ?? [],
  }[name]
}

export function messageOf(trials, row) {
  return trials.messages?.[trials.message?.[row]] ?? ''
}

/** `best:20`: the twenty best of those at the full budget. */
function amongBest(sign, value, rank) {
  if (!':='.includes(sign) || !/^[1-9]\d*$/.test(value)) return `best wants a number of trials; got ${JSON.stringify(value)}. Write best:20.`
  const rows = new Set(rank().slice(0, Number(value)))
  return (row) => rows.has(row)
}

function numeric(name, sign, value, column) {
  const wanted = Number(value)
  if (!Number.isFinite(wanted)) return `${name} is a number; got ${JSON.stringify(value)}. Write ${name}<=0.1, for example.`
  const compare = COMPARE[sign === ':' ? '=' : sign]
  return (row) => (column[row] ?? null) !== null && compare(column[row], wanted)
}

function category(parameter, sign, value, trials) {
  if (!'=!=:'.includes(sign)) return `${parameter.name} has no order; write ${parameter.name}=${parameter.values[0]} or ${parameter.name}!=${parameter.values[0]}.`
  const position = parameter.values.indexOf(value)
  if (position < 0) return `${parameter.name} is never ${JSON.stringify(value)}. ${closest(value, parameter.values)}Its values: ${parameter.values.slice(0, 20).join(', ')}.`
  const column = trials.parameters[parameter.name]
  return sign === '!=' ? (row) => column[row] !== null && column[row] !== position : (row) => column[row] === position
}

/** `:` and `=` ask whether a text begins so: `state:stopped` means "stopped early", too. */
function textual(name, sign, value, texts) {
  if (!'=!=:'.includes(sign)) return `${name} has no order; write ${name}:${value}.`
  const wanted = value.toLowerCase()
  const holds = (row) => texts(row).some((text) => (name === 'message' ? text.toLowerCase().includes(wanted) : text.toLowerCase().startsWith(wanted)))
  return sign === '!=' ? (row) => !holds(row) : holds
}

/** A bare number is a trial; other words stand in a value, a failure, a tag or a note. */
function words(text, trials, page) {
  if (/^\d+$/.test(text)) return (row) => trials.number[row] === Number(text)
  const wanted = text.toLowerCase()
  const categories = page.parameters.filter((one) => one.kind === 'category').map((one) => [trials.parameters[one.name], one.values.map((value) => value.toLowerCase().includes(wanted))])
  return (row) =>
    categories.some(([column, holds]) => column[row] !== null && holds[column[row]]) ||
    [trials.state[row], trials.failure[row], messageOf(trials, row), ...(trials.tags?.[row] ?? []), trials.notes?.[row] ?? ''].some((one) => one && one.toLowerCase().includes(wanted))
}

function closest(name, known) {
  const [near] = known.map((one) => [one, edits(name.toLowerCase(), one.toLowerCase())]).sort(([, left], [, right]) => left - right)
  // A third of the letters, picked by hand: more, and the word that is proposed has little to do with the one typed.
  return near && near[1] <= Math.max(1, near[0].length / 3) ? `Did you mean ${JSON.stringify(near[0])}? ` : ''
}

/** How many letters are to be changed from one word to another (Levenshtein 1966). */
function edits(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, place) => place)
  for (const [place, letter] of [...from].entries()) {
    const next = [place + 1]
    for (let other = 0; other < to.length; other++) next.push(Math.min(next[other] + 1, row[other + 1] + 1, row[other] + (letter === to[other] ? 0 : 1)))
    row = next
  }
  return row[to.length]
}
