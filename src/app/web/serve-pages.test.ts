import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'

import { request } from '#net/http.ts'

import { servePages } from './serve-pages.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-pages-'))
const folder = join(dir, 'built')
let server: ReturnType<typeof createServer>
let port = 0

before(async () => {
  server = createServer(servePages(folder))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true })
})

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly octets: Buffer
}

/** As it stands: the path is not made tidy, nothing is unpacked. */
async function get(path: string, headers = {}, method = 'GET'): Promise<Answer> {
  const asked = request({ port, host: '127.0.0.1', path, headers, method }).end()
  const [answer] = await once(asked, 'response')
  const chunks: Buffer[] = await answer.toArray()
  return { status: answer.statusCode, headers: answer.headers, octets: Buffer.concat(chunks) }
}

describe('the web pages', () => {
  test('say in both languages that they are not built yet, and come once they are', async () => {
    const early = await get('/console')
    assert.equal(early.status, 503)
    assert.match(String(early.octets), /画面を準備しています[\s\S]*being built/)
    assert.equal((await get('/assets/a-1.js')).status, 404)
    mkdirSync(join(folder, 'assets'), { recursive: true })
    for (const page of ['console', 'lists', 'mail']) {
      mkdirSync(join(folder, page))
      writeFileSync(join(folder, page, 'index.html'), `<meta content="__NONCE__">${page}`)
    }
    const script = Buffer.from('"渡り"')
    writeFileSync(join(folder, 'assets/a-1.js'), script)
    writeFileSync(join(folder, 'assets/a-1.js.br'), brotliCompressSync(script))
    writeFileSync(join(folder, 'assets/a-1.js.gz'), gzipSync(script))
    for (const path of ['/console', '/console/', '/console/queue/Q1?state=held'])
      assert.match(String((await get(path)).octets), /console$/)
    for (const path of ['/', '/?x', '/mail/INBOX'])
      assert.match(String((await get(path)).octets), /mail$/)
  })

  test('let no script in but their own files, and styles by a nonce that is new each time', async () => {
    const nonces = new Set<string>()
    for (let count = 0; count < 3; count++) {
      const { headers, octets } = await get('/console')
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /default-src 'none'; script-src 'self';/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe/)
      const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? ''
      assert.ok(String(octets).includes(`content="${nonce}"`))
      assert.equal(headers['cache-control'], 'no-store')
      nonces.add(nonce)
    }
    assert.equal(nonces.size, 3)
  })

  test('files with a hash in their name are kept for ever, in the best coding that is taken', async () => {
    for (const [accepted, coding] of [
      ['gzip, br', 'br'],
      ['gzip, br;q=0', 'gzip'],
      ['identity', undefined],
    ] as const) {
      const { status, headers, octets } = await get('/assets/a-1.js', {
        'accept-encoding': accepted,
      })
      assert.deepEqual([status, headers['content-encoding']], [200, coding])
      assert.match(String(headers['cache-control']), /immutable/)
      assert.equal(Number(headers['content-length']), octets.byteLength)
    }
    const head = await get('/assets/a-1.js', {}, 'HEAD')
    assert.deepEqual([head.status, head.octets.byteLength], [200, 0])
  })

  test('nothing else is to be had, whatever the path looks like', async () => {
    for (const path of [
      '/assets/../console/index.html',
      '/assets/%2e%2e/console/index.html',
      '/assets/..',
      '/assets/a-1.js.br',
      '/assets/none.js',
      '/consoles',
      '/favicon.ico',
      '//etc/passwd',
    ])
      assert.equal((await get(path)).status, 404, path)
    assert.equal((await get('/console', {}, 'POST')).status, 405)
  })
})
