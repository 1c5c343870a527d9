// The SQL console of the live page: type, run, cancel, look at the result as a table or a chart, take it home.
import { choice, h, put } from '../dom.js'
import { counted, duration } from '../format.js'
import { ask } from '../live.js'
import { table } from '../table.js'
import { complete } from './completion.js'
import { resultChart } from './resultchart.js'

export function sqlCard(page) {
  const area = h('textarea', { spellcheck: 'false', autocapitalize: 'off', 'aria-label': 'SQL query', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'completions', 'aria-autocomplete': 'list' })
  const list = h('ul', { class: 'completions', id: 'completions', role: 'listbox', 'aria-label': 'Completions', hidden: true })
  const status = h('span', { class: 'muted', role: 'status' })
  const result = h('div', { class: 'result' })
  const run = h('button', { type: 'button' }, 'Run (Ctrl+Enter)')
  const stop = h('button', { type: 'button', disabled: true }, 'Cancel')
  const csv = h('button', { type: 'button', onclick: () => download('csv') }, 'Download CSV')
  const parquet = h('button', { type: 'button', onclick: () => download('parquet') }, 'Download Parquet')
  const examples = examplesFor(page)
  area.value = examples[0][1]
  let catalog = { tables: {}, macros: [] }
  let chart = null
  let running = null

  const onKey = complete(area, list, () => catalog)
  area.addEventListener('keydown', (event) => {
    if (onKey(event)) return
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      execute()
    }
  })
  area.addEventListener('focus', async () => (catalog = await ask('./api/catalog')), { once: true })
  run.addEventListener('click', execute)
  stop.addEventListener('click', () => running && ask('./api/sql/cancel', { id: running }))

  async function attempt(doing, work) {
    if (running) return
    running = crypto.randomUUID?.() ?? String(Math.random())
    run.disabled = csv.disabled = parquet.disabled = true
    stop.disabled = false
    status.textContent = doing
    try {
      await work(running)
    } catch (error) {
      status.textContent = ''
      chart?.remove()
      chart = null
      put(result, h('p', { class: 'error', role: 'alert' }, error.message))
    }
    running = null
    run.disabled = csv.disabled = parquet.disabled = false
    stop.disabled = true
  }

  function execute() {
    return attempt('Running …', async (id) => {
      const grid = await ask('./api/sql', { id, sql: area.value })
      const rounded = grid.rows.some((row) => row.some(isRounded)) ? ' · ≈ marks what is rounded to 6 digits; point at it, or download, for all' : ''
      status.textContent = `${counted(grid.rows.length, 'row')}${grid.is_cut ? ', and more' : ''} in ${duration(grid.seconds)}${rounded}`
      chart?.remove()
      chart = resultChart(grid)
      put(result, resultTable(grid), chart?.element)
    })
  }

  function download(form) {
    return attempt('Preparing the file …', async (id) => {
      const response = await fetch('./api/sql/download', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ id, sql: area.value, form }) })
      if (!response.ok) throw new Error((await response.json()).error)
      const address = URL.createObjectURL(await response.blob())
      h('a', { href: address, download: `result.${form}` }).click()
      setTimeout(() => URL.revokeObjectURL(address), 10000)
      status.textContent = 'Downloaded.'
    })
  }

  const element = h(
    'section',
    { class: 'card w12 sql', id: 'sql' },
    h('div', { class: 'top' }, h('h3', {}, 'SQL'), choice('example', examples.map(([name], place) => [String(place), name]), '0', (place) => (area.value = examples[Number(place)][1]))),
    h('p', { class: 'about' }, 'Any query that reads. It runs on the published history, in a process of its own that can be cancelled and can write nothing.'),
    h('div', { class: 'editor' }, area, list),
    h('div', { class: 'bar' }, run, stop, csv, parquet, status),
    result,
  )
  return { element, update: () => chart?.update() }
}

function resultTable(grid) {
  const isNumeric = grid.types.map((type) => /INT|DOUBLE|FLOAT|DECIMAL|REAL/.test(type) && !/\[|\(.*,.*VARCHAR/.test(type))
  return table({
    label: 'Result of the query',
    columns: grid.columns.map((name, place) => ({ name, numeric: isNumeric[place], text: cellText })),
    rows: grid.rows,
  })
}

/** Whole numbers in full; others to six digits, marked where that left something out. */
function cellText(value) {
  if (typeof value === 'object') return JSON.stringify(value)
  return isRounded(value) ? `≈\u2009${Number(value.toPrecision(6))}` : String(value)
}

function isRounded(value) {
  return typeof value === 'number' && !Number.isInteger(value) && Number(value.toPrecision(6)) !== value
}

function examplesFor(page) {
  const study = `'${page.head.study.replaceAll("'", "''")}'`
  const direction = page.head.goals[0].goal === 'maximize' ? ' DESC' : ''
  const category = page.parameters.find((parameter) => parameter.kind === 'category')?.name
  const byCategory = category
    ? [[`by ${category}`, `SELECT params::JSON->>'$."${category.replaceAll("'", "''").replaceAll('"', '\\"')}"' AS value_of, count(*) AS n, min(value) AS lowest, median(value) AS middle\nFROM trials WHERE study = ${study} AND competes\nGROUP BY ALL ORDER BY middle${direction}`]]
    : []
  return [
    ['best trials', `SELECT number, value, budget, seconds, params::JSON AS configuration\nFROM top(${study}, k := 20)`],
    ['outcomes', `SELECT state, count(*) AS n, sum(seconds) AS seconds\nFROM trials WHERE study = ${study} GROUP BY ALL ORDER BY n DESC`],
    ...byCategory,
    ['learning curves', `SELECT step, count(*) AS n, median(value) AS middle\nFROM curves WHERE study = ${study} AND name = '${page.head.goals[0].metric.replaceAll("'", "''")}'\nGROUP BY step ORDER BY step`],
    ['failures', `SELECT failure_kind, failure_message, count(*) AS n\nFROM attempts WHERE study = ${study} AND failure_kind IS NOT NULL\nGROUP BY ALL ORDER BY n DESC`],
    ['tables', 'SHOW TABLES'],
  ]
}

