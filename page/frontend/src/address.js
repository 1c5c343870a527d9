// The address as the page's memory: what is looked at stands in the query (live) or after the # (in a file).

const listeners = new Set()
const data = document.getElementById('page-data')

/** A file cannot have a query of its own everywhere; what follows # is never sent anywhere. */
export const isFile = data !== null

/** Every value of a name, in order. */
export function lookAll(name) {
  return entries().getAll(name)
}

/** The first value of a name; null where the address does not say it. */
export function look(name) {
  return entries().get(name)
}

/** What is chosen among options, by the address; the first where it says nothing of them. */
export function chosen(name, options, fallback = options[0]) {
  const said = look(name)
  return options.includes(said) ? said : fallback
}

/**
 * Say something in the address.
 * @param changes name to a value, to several, or to null for nothing
 * @param isStep true where Back shall lead to what was looked at before; what is dragged or typed is none
 */
export function say(changes, isStep = false) {
  const address = addressWith(changes)
  if (address === (isFile ? location.hash || '#' : location.search || '?')) return
  // Back must go through pages that a person remembers, not through every letter of a search.
  history[isStep ? 'pushState' : 'replaceState'](null, '', address)
  if (isStep) changed()
}

/** The address with some changes, for a link that can be opened beside. */
export function addressWith(changes) {
  const wanted = entries()
  for (const [name, value] of Object.entries(changes)) {
    wanted.delete(name)
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== '') wanted.append(name, one)
  }
  return `${isFile ? '#' : '?'}${wanted}`
}

/** Call when the address leads elsewhere: by a step, by Back or Forward, by hand. */
export function onAddress(listener) {
  listeners.add(listener)
}

function changed() {
  for (const listener of listeners) listener()
}

function entries() {
  return new URLSearchParams(isFile ? location.hash.slice(1) : location.search)
}

addEventListener('popstate', changed)
// A link within a file is followed by the browser itself: it changes the hash, which popstate tells as well, but not
// everywhere where the hash is typed.
addEventListener('hashchange', changed)

// A view that was fixed into a file holds until its reader looks elsewhere.
if (data?.dataset.view && !location.hash) history.replaceState(null, '', `#${data.dataset.view}`)
