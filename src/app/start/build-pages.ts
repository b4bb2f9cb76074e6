// build-pages.ts FOLDER: builds the web pages with vite, compresses each file, and puts all in place at once.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import react from '@vitejs/plugin-react'
import { build } from 'vite'
import type { Plugin } from 'vite'

const ROOT = join(import.meta.dirname, '../../..')
const WEB = join(ROOT, 'src/web')
/** Each has a `main.tsx` in its folder of `src/web`. */
const PAGES = ['console', 'lists', 'mail', 'settings'] as const
/** The HTML gets a nonce each time that it is served. */
const COMPRESSED = /\.(js|css|svg|json)$/
/** Folders of earlier versions that nobody has built for so long are forgotten. */
const OLD_MS = 14 * 24 * 3_600_000

async function main(folder: string): Promise<void> {
  const temporary = mkdtempSync(`${folder}.`)
  try {
    await build({
      configFile: false,
      root: WEB,
      cacheDir: join(ROOT, '.cache/vite'),
      logLevel: 'error',
      plugins: [react(), oneHtml()],
      build: {
        outDir: temporary,
        emptyOutDir: true,
        // Files, not data: URLs: the pages' policy lets in nothing else.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        target: 'es2023',
        rolldownOptions: {
          input: Object.fromEntries(PAGES.map((name) => [name, htmlOf(name)])),
        },
      },
    })
    for (const name of readdirSync(join(temporary, 'assets'))) {
      if (COMPRESSED.test(name)) compress(join(temporary, 'assets', name))
    }
    renameSync(temporary, folder)
  } catch (cause) {
    rmSync(temporary, { recursive: true, force: true })
    throw cause
  }
  forgetOld(dirname(folder))
}

const htmlOf = (page: string): string => join(WEB, page, 'index.html')

/** All pages have one HTML, as if it stood in the folder of each. */
function oneHtml(): Plugin {
  const names = new Set(PAGES.map(htmlOf))
  return {
    name: 'one-html',
    resolveId: (id) => (names.has(id) ? id : undefined),
    load: (id) => (names.has(id) ? readFileSync(join(WEB, 'parts/index.html'), 'utf8') : undefined),
  }
}

function compress(file: string): void {
  const octets = readFileSync(file)
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 10,
    [constants.BROTLI_PARAM_SIZE_HINT]: octets.byteLength,
  }
  writeFileSync(`${file}.br`, brotliCompressSync(octets, { params }))
  writeFileSync(`${file}.gz`, gzipSync(octets, { level: 9 }))
}

function forgetOld(cache: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    if (Date.now() - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true })
  }
}

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: build-pages.ts FOLDER')
try {
  await main(folder)
} catch (cause) {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`)
  process.exitCode = 1
}
