// What is predicted over two hyperparameters together, as a heat map.
import { look, onAddress, say } from '../address.js'
import { axis, ChartCard, grid, tip } from '../chart.js'
import { choice, h, put } from '../dom.js'
import { metric, percent } from '../format.js'
import { absence, model } from '../model.js'
import { colors, mix } from '../theme.js'

export function interactionCard() {
  const controls = h('div', { class: 'screen' })
  const nameOf = (pair) => `${pair.x} × ${pair.y}`
  const current = () => {
    const pairs = model.page.analysis.interactions
    return pairs.find((pair) => nameOf(pair) === look('pair')) ?? pairs[0]
  }
  const card = new ChartCard({
    id: 'interaction',
    size: 'w4',
    height: 'h320',
    controls,
    title: () => (current() ? `${current().x} × ${current().y}` : 'Interaction'),
    about: () => {
      const pair = current()
      if (!pair) return 'How two hyperparameters act together.'
      const beyond = pair.share === null ? '' : ` Together they explain ${percent(pair.share)} beyond each alone.`
      const budget = model.page.analysis.effects[0]?.budget ?? null
      return `Predicted ${model.page.head.goals[0].metric}${budget === null ? '' : ` at budget ${budget}`}, the stronger the colour the better; blank where there is no data.${beyond}`
    },
    legend: () => ramp(current()),
    option: () => option(current()),
    figures: () => figures(current()),
  })
  const update = () => {
    const pairs = model.page.analysis.interactions
    const options = pairs.map((pair) => [nameOf(pair), nameOf(pair)])
    put(controls, pairs.length > 1 ? choice('pair', options, nameOf(current()), (name) => (say({ pair: name }), card.update())) : [])
    card.update()
  }
  onAddress(() => update())
  return { element: card.element, update }
}

function cellsOf(pair) {
  return pair ? pair.rows.flatMap((row, y) => row.flatMap((value, x) => (value === null ? [] : [[x, y, value]]))) : []
}

function endsOf(cells) {
  const values = cells.map((cell) => cell[2])
  return [Math.min(...values), Math.max(...values)]
}

/** The ramp with its ends; the better end comes first. */
function ramp(pair) {
  const cells = cellsOf(pair)
  if (!cells.length) return []
  const [low, high] = endsOf(cells)
  const [first, last] = model.page.head.goals[0].goal === 'minimize' ? [low, high] : [high, low]
  return h('div', { class: 'legend' }, h('span', {}, metric(first), h('span', { class: 'ramp', 'aria-hidden': 'true' }), metric(last)))
}

function option(pair) {
  const cells = cellsOf(pair)
  if (!cells.length) return absence('Too few trials to tell.')
  const colours = colors()
  const [low, high] = endsOf(cells)
  const isMinimised = model.page.head.goals[0].goal === 'minimize'
  const shade = (value) => {
    const share = high > low ? (value - low) / (high - low) : 0
    return mix(colours['heat-near'], colours['heat-far'], isMinimised ? share : 1 - share)
  }
  return {
    tooltip: { formatter: ({ dataIndex }) => describe(pair, cells[dataIndex]) },
    grid: grid({ top: 24 }),
    xAxis: cellAxis(pair.x, pair.x_at, 5),
    yAxis: { ...cellAxis(pair.y, pair.y_at, 7), name: pair.y, nameLocation: 'end', nameTextStyle: { color: colours.muted, fontSize: 11, align: 'left' } },
    // Rectangles of our own: a heat map series is drawn on a canvas above the others, of which paper shows one only.
    series: [
      {
        type: 'custom',
        encode: { x: 0, y: 1 },
        renderItem: ({ dataIndex }, api) => {
          const [x, y] = api.coord([cells[dataIndex][0], cells[dataIndex][1]])
          const [width, height] = api.size([1, 1])
          return { type: 'rect', shape: { x: x - width / 2, y: y - height / 2, width, height }, style: { fill: shade(cells[dataIndex][2]), stroke: colours.card, lineWidth: 0.5 } }
        },
        data: cells,
      },
    ],
  }
}

function cellAxis(name, at, wanted) {
  const scale = model.scales[name]
  const stride = Math.max(1, Math.ceil(at.length / wanted))
  return axis({
    type: 'category',
    data: at.map((value) => scale.text(value)),
    splitLine: { show: false },
    axisLabel: { interval: (place) => place % stride === 0 },
  })
}

function describe(pair, [x, y, value]) {
  return tip(`${model.page.head.goals[0].metric} ${metric(value)}`, [
    [pair.x, model.scales[pair.x].text(pair.x_at[x])],
    [pair.y, model.scales[pair.y].text(pair.y_at[y])],
  ])
}

function figures(pair) {
  if (!pair) return { columns: [], rows: [] }
  const [across, down] = [model.scales[pair.x], model.scales[pair.y]]
  return {
    columns: [{ name: `${pair.y} \\ ${pair.x}` }, ...pair.x_at.map((value) => ({ name: across.text(value), numeric: true, text: metric }))],
    rows: pair.rows.map((row, y) => [down.text(pair.y_at[y]), ...row]),
  }
}
