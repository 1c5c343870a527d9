// Makes elements; text is always set as text, so that nothing a study holds can become markup.

const SVG = 'http://www.w3.org/2000/svg'

/** An element with attributes, listeners (`onclick: fn`) and children (nodes, texts, or nothing). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children)
}

/** The same in SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

/** Replace what an element holds. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

/** A button that says what it did for a moment. */
export function copyButton(label, text) {
  const button = h('button', { type: 'button' }, label)
  button.addEventListener('click', async () => {
    const done = await copy(text())
    button.textContent = done ? 'Copied' : 'Press Ctrl+C'
    setTimeout(() => (button.textContent = label), 1400)
  })
  return button
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = h('textarea', { class: 'offscreen', 'aria-hidden': 'true' })
    area.value = text
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

/** A labelled choice among words. */
export function choice(label, options, chosen, onChange) {
  const select = h('select', { 'aria-label': label, onchange: () => onChange(select.value) })
  for (const [value, text] of options) select.append(new Option(text, value, false, value === chosen))
  return h('label', { class: 'choice' }, h('span', {}, label), select)
}

/** A row of buttons of which one is pressed. */
export function segmented(label, options, chosen, onChange) {
  const group = h('div', { class: 'segmented', role: 'group', 'aria-label': label })
  for (const [value, text] of options) {
    const button = h('button', { type: 'button', 'aria-pressed': String(value === chosen) }, text)
    button.addEventListener('click', () => {
      for (const other of group.children) other.setAttribute('aria-pressed', String(other === button))
      onChange(value)
    })
    group.append(button)
  }
  return group
}
