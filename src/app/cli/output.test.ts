import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const WATARI = fileURLToPath(new URL('../../../bin/watari.mjs', import.meta.url))
/** Some 3 MiB of JSON: a pipe holds 64 KiB. */
const ROUTES = 30_000
/** Longer than control may take to say that it is there. */
const HELD_MS = 5_500

const dir = mkdtempSync(join(tmpdir(), 'watari-output-'))
const items = Array.from({ length: ROUTES }, (_, n) => ({
  match: `大学${n}.example`,
  nextHop: 'smtp:192.0.2.7:25',
  version: '0123456789abcdef',
}))
/** Control, of which each test says what it answers. */
let answer: (response: ServerResponse, times: number) => void
let times = 0
let alive: (response: ServerResponse) => void = (response) => response.writeHead(204).end()
let server: Server

const send = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

interface Run {
  readonly child: ChildProcess
  /** Reads standard output, from now on and not before, to the end. */
  ended(): Promise<{ status: unknown; out: string; err: string }>
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function start(program: string, args: readonly string[], input = ''): Run {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  // At once: what nobody reads is lost when the process ends, and with it the reason of a failure.
  const error = textOf(child.stderr)
  const closed = once(child, 'close') as Promise<[status: unknown]>
  return {
    child,
    ended: async () => {
      const [out, err, [status]] = await Promise.all([textOf(child.stdout), error, closed])
      return { status, out, err }
    },
  }
}

const run = (...args: readonly string[]): Run =>
  start(process.execPath, [WATARI, '--data', dir, ...args])

describe('what the command line prints', () => {
  before(async () => {
    const adminSocket = join(dir, 'admin.sock')
    server = createServer((request, response) => {
      if (request.url === '/alive') alive(response)
      else answer(response, ++times)
    })
    await once(server.listen(adminSocket), 'listening')
    writeFileSync(join(dir, 'runtime.json'), JSON.stringify({ adminSocket }))
    writeFileSync(join(dir, 'first-run.json'), JSON.stringify({ apiToken: 'token' }))
  })
  after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(dir, { recursive: true, force: true })
  })

  for (const [what, ...args] of [
    ['JSON', 'route', 'ls', '--json'],
    ['a table', 'route', 'ls'],
  ])
    test(`reaches a slow reader of a pipe whole: ${what}`, async () => {
      // Nobody reads before control has given its answer away, and then one chunk at a time.
      const given = new Promise<void>((resolve) => {
        answer = (response) => {
          response.once('close', resolve)
          send(response, { items })
        }
      })
      const running = run(...args)
      await given
      const { status, out, err } = await running.ended()
      assert.deepEqual([status, err], [0, ''])
      if (what === 'JSON') assert.deepEqual(JSON.parse(out), { items })
      else
        assert.deepEqual([out.split('\n').length, out.includes('大学29999.ex')], [ROUTES + 2, true])
    })

  test('reaches a pipe of the shell, and a file, whole; and a reader that has enough is no failure', async () => {
    answer = (response) => send(response, { items })
    const whole = Buffer.byteLength(`${JSON.stringify({ items }, null, 2)}\n`)
    const command = `"$0" "$1" --data "$2" route ls --json`
    const shell = async (script: string): Promise<string> => {
      const { out, err } = await start('bash', [
        '-c',
        script,
        process.execPath,
        WATARI,
        dir,
      ]).ended()
      assert.equal(err, '')
      return out.trim()
    }
    assert.equal(await shell(`${command} | (sleep 1; wc -c)`), String(whole))
    const file = join(dir, 'routes.json')
    const descriptor = openSync(file, 'w')
    const child = spawn(process.execPath, [WATARI, '--data', dir, 'route', 'ls', '--json'], {
      stdio: ['ignore', descriptor, 'inherit'],
    })
    await once(child, 'close')
    closeSync(descriptor)
    assert.equal(readFileSync(file).byteLength, whole)
    assert.equal(await shell(`set -o pipefail; ${command} | head -c 1`), '{')
  })

  test('is the answer also where control found that it came too late to be begun', async () => {
    times = 0
    answer = (response, asked) => {
      if (asked > 2) return send(response, { items: [] })
      response.writeHead(503, { 'watari-not-begun': 'yes', 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { code: 'unavailable', message: 'm', remedy: 'r' } }))
    }
    const { status, out, err } = await run('route', 'ls').ended()
    assert.deepEqual([status, out, err], [0, 'MATCH  NEXT HOP\n', ''])
    answer = (response) => {
      response.writeHead(503, { 'watari-not-begun': 'yes', 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { code: 'unavailable', message: '遅い', remedy: 'r' } }))
    }
    const refused = await run('route', 'ls').ended()
    assert.deepEqual([refused.status, refused.out, refused.err], [1, '', 'watari: 遅い. r\n'])
  })

  test('is the answer also where control and it were held still while control was asked whether it is there', async () => {
    let child: ChildProcess | undefined
    const asked = new Promise<void>((resolve) => {
      answer = (response) => {
        alive = (late) => {
          child!.kill('SIGSTOP')
          setTimeout(() => {
            alive = (again) => again.writeHead(204).end()
            child!.kill('SIGCONT')
            // It has woken by then, and found that its deadline is over.
            setTimeout(() => {
              late.writeHead(204).end()
              send(response, { items: [] })
            }, 300)
          }, HELD_MS)
          resolve()
        }
      }
    })
    const running = run('route', 'ls')
    ;({ child } = running)
    const end = running.ended()
    await asked
    const { status, out, err } = await end
    assert.deepEqual([status, out, err], [0, 'MATCH  NEXT HOP\n', ''])
  })

  test('comes once a long move of the home has ended, however long nothing else is under way', async () => {
    const states = ['copying', 'copying', 'copying', 'well']
    times = 0
    answer = (response, asked) =>
      send(response, {
        kind: 'ldap',
        provider: 'ldaps://ldap1.campus.example',
        state: states[asked - 1] ?? 'well',
        pending: [],
      })
    const words = ['directory', 'home', 'ldap', '--url', 'ldaps://ldap1.campus.example']
    const more = ['--base', 'ou=watari,dc=campus,dc=example', '--password-stdin']
    const args = [WATARI, '--data', dir, ...words, ...more]
    const { status, out, err } = await start(process.execPath, args, '秘密').ended()
    assert.deepEqual([status, err, times], [0, '', 4])
    assert.match(out, /state: +well/)
  })
})
