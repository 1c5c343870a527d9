// Bundles the page's script and style into built/, with the licences of what is inside; the only place that needs Node.
import { build } from 'esbuild'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = process.argv[2] ?? join(here, 'built')
const BUNDLED = ['echarts', 'zrender', 'tslib']

mkdirSync(out, { recursive: true })
await build({
  absWorkingDir: here,
  entryPoints: { page: 'src/main.js' },
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  outdir: out,
  logLevel: 'warning',
})
await build({
  absWorkingDir: here,
  entryPoints: { page: 'src/style.css' },
  bundle: true,
  minify: true,
  charset: 'utf8',
  outdir: out,
  logLevel: 'warning',
})
writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), BUNDLED.map(licence).join('\n\n'))

function licence(name) {
  const folder = join(here, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const texts = ['LICENSE', 'LICENSE.txt', 'NOTICE'].flatMap((file) => {
    try {
      return [readFileSync(join(folder, file), 'utf8').trim()]
    } catch {
      return []
    }
  })
  return `${name} ${version} (${license})\n${'='.repeat(60)}\n${texts.join('\n\n')}\n`
}
