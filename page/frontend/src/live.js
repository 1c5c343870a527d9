// The live host's side of the page: fetches it, follows its changes, lists the studies.
import { controlCard } from './blocks/control.js'
import { sqlCard } from './blocks/sql.js'
import { h } from './dom.js'
import { counted, duration, metric, when } from './format.js'
import { loadAll } from './model.js'
import { open } from './page.js'
import { listChooser } from './studies/choose.js'
import { table } from './table.js'
import { themeButton } from './theme.js'

/** Open the study that the address names, or the list of all. */
export async function goLive() {
  const study = new URLSearchParams(location.search).get('study')
  if (study === null) return showStudies()
  const page = await fetchPage(study)
  const state = h('span', { class: 'pill live', role: 'status' }, 'live')
  const update = open(page, {
    tools: [h('a', { href: './' }, 'All studies'), state],
    sql: sqlCard(page),
    control: controlCard((await ask('./api/control')).is_allowed),
    fetchLife: (number) => ask(`./api/trial?study=${encodeURIComponent(study)}&number=${number}`),
    fetchCompared: (names) => ask(`./api/compared?${new URLSearchParams(names.map((name) => ['study', name]))}`),
    linkTo,
  })
  const fetchRest = restOf(study)
  fetchRest(page)
  follow(state, async () => {
    const newer = await fetchPage(study)
    update(newer)
    fetchRest(newer)
  })
  return null
}

// Picked by hand: all trials of a large study are some megabytes, and what is new among them is counted and drawn anyway.
const REST_MILLISECONDS = 15_000

/** Fetches, after the page is drawn, the trials that are not drawn: the table and the filters know all. */
function restOf(study) {
  let last = -Infinity
  return async ({ trials }) => {
    if (trials.n_total === trials.number.length || performance.now() - last < REST_MILLISECONDS) return
    last = performance.now()
    const rest = await ask(`./api/trials?study=${encodeURIComponent(study)}`)
    if (rest) loadAll(rest)
  }
}

const linkTo = (study) => `./?study=${encodeURIComponent(study)}`

async function fetchPage(study) {
  return ask(`./api/page?study=${encodeURIComponent(study)}`)
}

/** Fetch JSON; what the host has to say against it becomes the error. */
export async function ask(address, body) {
  const options = body ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}
  const response = await fetch(address, options)
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error ?? response.statusText)
  return answer
}

/** Call on every change; one call at a time, and none is lost. */
function follow(state, refresh) {
  let isBusy = false
  let isWaiting = false
  let isFirst = true
  const run = async () => {
    if (isBusy) {
      isWaiting = true
      return
    }
    isBusy = true
    try {
      await refresh()
    } catch {
      // The next change tries again; the page stays as it is.
    }
    isBusy = false
    if (isWaiting) {
      isWaiting = false
      run()
    }
  }
  const source = new EventSource('./api/events')
  source.addEventListener('open', () => (state.textContent = 'live'))
  source.addEventListener('error', () => (state.textContent = 'not connected'))
  source.addEventListener('changed', () => {
    if (!isFirst) run()
    isFirst = false
  })
}

async function showStudies() {
  const list = h('div')
  const chooser = listChooser(linkTo)
  const state = h('span', { class: 'pill live', role: 'status' }, 'live')
  document.title = 'Studies · pegbox'
  document.body.replaceChildren(
    h('main', {}, h('header', {}, h('h1', {}, 'Studies'), h('div', { class: 'tools' }, state, themeButton())), h('section', { class: 'card' }, list, chooser.bar)),
  )
  const refresh = async () => list.replaceChildren(studiesTable(await ask('./api/studies'), chooser.box))
  try {
    await refresh()
  } catch (error) {
    list.replaceChildren(h('p', { class: 'muted' }, error.message))
  }
  follow(state, refresh)
  return null
}

function studiesTable(studies, compareBox) {
  if (!studies.length) return h('p', { class: 'muted' }, 'This store holds no study yet. Run one with pegbox run study.yaml.')
  return h(
    'div',
    {},
    h('p', { class: 'about' }, `${counted(studies.length, 'study', 'studies')}, the one that changed last comes first.`),
    table({
      label: 'Studies',
      columns: [
        { name: 'compare', text: compareBox },
        { name: 'study', text: (name) => h('a', { href: linkTo(name) }, name) },
        { name: 'state' },
        { name: 'objective' },
        { name: 'best', numeric: true, text: metric },
        { name: 'trials', numeric: true },
        { name: 'failed', numeric: true },
        { name: 'training time', numeric: true, text: duration },
        { name: 'changed', text: when },
      ],
      rows: studies.map((one) => [one.study, one.study, one.state, `${one.goal} ${one.metric}`, one.best, one.n_trials, one.n_failed, one.training_seconds, one.changed_at]),
    }),
  )
}
