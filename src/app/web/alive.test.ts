import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { answerEarly, sentNow } from './alive.ts'

describe('requests to control', () => {
  const dir = mkdtempSync(join(tmpdir(), 'watari-alive-'))
  const socketPath = join(dir, 'admin.sock')
  const server = createServer((asked, response) => {
    if (!answerEarly(asked, response)) response.writeHead(200).end()
  })
  before(() => new Promise<void>((resolve) => server.listen(socketPath, resolve)))
  after(() => {
    server.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const ask = (path: string, headers: Readonly<Record<string, string>>): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath, path, headers, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      asked.once('error', reject)
      asked.end()
    })

  test('are served when they come in time, or say nothing of their time', async () => {
    assert.equal(await ask('/api/v1/settings', sentNow()), 200)
    assert.equal(await ask('/api/v1/settings', {}), 200)
    assert.equal(await ask('/api/v1/settings', { 'watari-sent': 'x' }), 200)
  })

  test('are not begun when whoever sent them has given up', async () => {
    const [[name, at] = ['', '']] = Object.entries(sentNow())
    assert.equal(await ask('/api/v1/settings', { [name]: String(Number(at) - 60_000) }), 503)
  })

  test('that ask whether it is there get an answer at once', async () => {
    assert.equal(await ask('/alive', {}), 204)
  })
})
