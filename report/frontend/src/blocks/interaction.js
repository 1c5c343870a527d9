// What is predicted over two hyperparameters together, as a heat map.
import { axis, ChartCard, grid, tip } from '../chart.js'
import { choice, h, put } from '../dom.js'
import { metric, percent } from '../format.js'
import { model } from '../model.js'
import { colors } from '../theme.js'

export function interactionCard() {
  let chosen = 0
  const controls = h('div', { class: 'screen' })
  const current = () => model.page.analysis.interactions[chosen] ?? model.page.analysis.interactions[0]
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
      return `Predicted ${model.page.head.goals[0].metric}, the stronger the colour the better; blank where there is no data.${beyond}`
    },
    option: () => option(current()),
    figures: () => figures(current()),
  })
  const update = () => {
    const pairs = model.page.analysis.interactions
    chosen = Math.min(chosen, Math.max(0, pairs.length - 1))
    const options = pairs.map((pair, place) => [String(place), `${pair.x} × ${pair.y}`])
    put(controls, pairs.length > 1 ? choice('pair', options, String(chosen), (value) => ((chosen = Number(value)), card.update())) : [])
    card.update()
  }
  return { element: card.element, update }
}

function option(pair) {
  if (!pair) return 'Too few trials to tell.'
  const cells = []
  pair.rows.forEach((row, y) => row.forEach((value, x) => value !== null && cells.push([x, y, value])))
  if (!cells.length) return 'Too few trials to tell.'
  const colours = colors()
  const values = cells.map((cell) => cell[2])
  const isMinimised = model.page.head.goals[0].goal === 'minimize'
  const ramp = isMinimised ? [colours['heat-near'], colours['heat-far']] : [colours['heat-far'], colours['heat-near']]
  return {
    tooltip: { formatter: ({ value }) => describe(pair, value) },
    grid: grid({ bottom: 44, left: 4, top: 24 }),
    xAxis: cellAxis(pair.x, pair.x_at, 5),
    yAxis: { ...cellAxis(pair.y, pair.y_at, 7), name: pair.y, nameLocation: 'end', nameTextStyle: { color: colours.muted, fontSize: 11, align: 'left' } },
    visualMap: {
      type: 'continuous',
      min: Math.min(...values),
      max: Math.max(...values),
      calculable: false,
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemWidth: 10,
      itemHeight: 120,
      precision: 4,
      text: [metric(Math.max(...values)), metric(Math.min(...values))],
      textStyle: { color: colours.muted, fontSize: 11 },
      inRange: { color: ramp },
    },
    series: [{ type: 'heatmap', data: cells, itemStyle: { borderColor: colours.card, borderWidth: 0.5 } }],
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
