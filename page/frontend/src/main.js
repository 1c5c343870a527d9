// Starts the page: from the data inside an offline file, or from the host that serves it.
import { h } from './dom.js'
import { duration, number } from './format.js'
import { goLive } from './live.js'
import { open } from './page.js'

const embedded = document.getElementById('page-data')

if (embedded) start(unpack(embedded.textContent))
else start(goLive())

async function start(pending) {
  try {
    const page = await pending
    if (page) open(page)
  } catch (error) {
    document.body.replaceChildren(h('main', {}, h('h1', {}, 'This page could not be read'), h('p', { class: 'error' }, String(error?.message ?? error))))
    throw error
  }
}

/** The page as gzip in base64. */
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return JSON.parse(await new Response(stream).text())
}

// For tests and for the curious: how the page writes numbers.
globalThis.pegbox = { number: (value) => number(value), duration }
