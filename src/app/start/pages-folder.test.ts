import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { servePages } from '#app/web/serve-pages.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** A tree of the program's own, whose sources can be broken. */
const tree = mkdtempSync(join(tmpdir(), 'watari-tree-'))
after(() => rmSync(tree, { recursive: true }))

const BUILD = `
const { preparePages } = await import('./src/app/start/pages-folder.ts')
const pages = preparePages((text) => process.stderr.write(text))
const reason = await pages.built
process.stdout.write(JSON.stringify({ folder: pages.folder, reason: reason ?? null }))`

function build(): { folder: string; reason: string | null; said: string } {
  const errors = join(tree, 'said')
  const out = execFileSync(
    'sh',
    ['-c', 'exec "$0" --input-type=module -e "$1" 2> "$2"', process.execPath, BUILD, errors],
    { cwd: tree, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  return {
    ...(JSON.parse(out) as { folder: string; reason: string | null }),
    said: readFileSync(errors, 'utf8'),
  }
}

async function pageOf(folder: string): Promise<{ status: number; refresh: string; text: string }> {
  const server = createServer(servePages(folder))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/mail/inbox`)
  const text = await response.text()
  server.closeAllConnections()
  server.close()
  return { status: response.status, refresh: response.headers.get('refresh') ?? '', text }
}

test('pages that cannot be built say why and what to do, at the start and in the browser, until they can', async () => {
  for (const name of ['src', 'package.json', 'package-lock.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(tree, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  const broken = join(tree, 'src/web/mail/tree.tsx')
  const whole = readFileSync(broken)
  appendFileSync(broken, '\nexport const 渡り = <b>{</b>\n')

  const { folder, reason, said } = build()
  assert.match(reason ?? '', /src\/web\/mail\/tree\.tsx/)
  assert.equal(reason?.includes(tree), false, 'no path of the machine')
  assert.match(said, /could not be built: [\s\S]*tree\.tsx[\s\S]*git status, npm ci/)
  const page = await pageOf(folder)
  assert.equal(page.status, 503)
  assert.match(page.text, /tree\.tsx/)
  assert.match(page.text, /画面を作れませんでした[\s\S]*could not be built[\s\S]*npm ci/)
  assert.doesNotMatch(page.text, /<b>\{<\/b>/, 'what the sources hold is text')
  assert.equal(page.refresh, '60')

  // Another start on the same broken files says it again; one on whole files has pages.
  assert.match(build().said, /could not be built/)
  writeFileSync(broken, whole)
  const mended = build()
  assert.equal(mended.reason, null)
  assert.ok(existsSync(mended.folder))
  assert.equal((await pageOf(mended.folder)).status, 200)
})
