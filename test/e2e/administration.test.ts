import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { assertAligned, commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { descendants } from './processes.ts'
import { sendBy, wire } from './wire.ts'

interface Generation {
  readonly generation: number
  readonly pending: readonly unknown[]
}
interface Status {
  readonly nodes: readonly {
    readonly role: string
    readonly state: string
    readonly generation: number
  }[]
}
interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>> & {
    readonly error?: { readonly code: string; readonly message: string; readonly remedy: string }
  }
}

describe('the administration of an installation', () => {
  let watari: Installation
  let cli: CommandLine
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    cli = commandLine(watari)
  })
  after(() => watari.remove())

  /** SIZE as the MX announces it to a session that begins now. */
  const announced = async (): Promise<number> => {
    const session = await wire(watari.port(25))
    try {
      await session.smtp()
      return Number(/SIZE (\d+)/.exec(await session.smtp('EHLO client.example'))?.[1])
    } finally {
      session.close()
    }
  }
  const relay = (): Promise<string> =>
    sendBy(
      { port: watari.port(26) },
      {
        from: 'hanako@campus.example',
        to: 'taro@campus.example',
        content: 'From: hanako@campus.example\r\nSubject: 会議\r\n\r\n水曜日\r\n',
      },
    )
  /** What another administrator's program does, by HTTPS. */
  const api = (
    method: string,
    path: string,
    options: {
      readonly token?: string
      readonly seen?: number
      readonly body?: Readonly<Record<string, unknown>>
    } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { token = watari.firstRun.apiToken, seen, body } = options
      const sent = request(
        {
          method,
          host: '127.0.0.1',
          port: watari.port(443),
          path: `/api/v1${path}`,
          ca: watari.ca,
          servername: 'localhost',
          headers: {
            ...(token !== '' && { authorization: `Bearer ${token}` }),
            ...(seen !== undefined && { 'if-match': `"${seen}"` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })

  it('shows nodes and status, aligned, with everything in force', async () => {
    const table = await cli.run(['node', 'ls'])
    assertAligned(table)
    assert.match(
      table,
      /^NODE +ROLE +ADDRESS +VERSION +STATE +QUEUED +GENERATION +DIRECTORY +HEARD/,
    )
    const { items } = await cli.json<{ items: unknown[] }>(['node', 'ls'])
    assert.equal(items.length, 2)
    const text = await cli.run(['status'])
    assert.match(
      text,
      /^version: +\S+\nsettings: +generation 0\ndirectory: +2 domains, 3 users, 0 a/,
    )
    assert.match(text, /\nNODE +ROLE +ADDRESS +VERSION +STATE/)
  })

  it('settings set: is in force at every role when the command returns; a bad value is not', async () => {
    assert.equal(await announced(), 52_428_800)
    assert.equal(await cli.run(['settings', 'get', 'mail.sizeBytesMax']), '50MiB\n')
    const set = await cli.run(['settings', 'set', 'mail.sizeBytesMax', '64KiB'])
    const text =
      /^generation 1, \S+Z, admin by cli this machine: set\n {2}mail\.sizeBytesMax: default \(50MiB\) → 64KiB\n$/
    assert.match(set, text)
    assert.equal(await announced(), 65_536)
    const { nodes } = await cli.json<Status>(['status'])
    assert.deepEqual(
      nodes.map(({ generation, state }) => `${generation} ${state}`),
      ['1 ready', '1 ready'],
    )
    for (const [key, value, why] of [
      ['mail.sizeBytesMax', '1', /1 is below 64KiB\. Give a size from 64KiB/],
      ['queue.lifetimeMs', '五日', /五日 is no duration\. Give a duration from 1m to 30d/],
      ['queue.lifetime', '5d', /no setting queue\.lifetime\. There is: queue\.lifetimeMs, /],
      ['spam.spamScore', '1', /below spam\.suspectedScore 5\. Set spam\.suspectedScore lower/],
    ] as const)
      assert.match(await cli.refused(['settings', 'set', key, value], 1), why)
    assert.match(
      await cli.refused(['settings', 'set', 'received.max'], 2),
      /give a value, or --def/,
    )
    const show = await cli.run(['settings', 'show'])
    assertAligned(show)
    assert.match(show, /^mail\.sizeBytesMax +64KiB +50MiB$/m)
    assert.match(show, /^queue\.retryMs +1m 5m 15m 30m 1h +1m 5m 15m 30m 1h$/m)
    assert.match(show, /^relay\.access +0 networks +0 networks$/m)
  })

  it('settings edit, diff, apply: nothing of what is staged is in force before it is applied', async () => {
    const edit = ['settings', 'edit', 'mail.sizeBytesMax=128KiB', 'queue.retryMs=1m 5m']
    const staged = /^staged on generation 1:\n {2}mail\.sizeBytesMax: 64KiB → 128KiB\n/
    assert.match(await cli.run(edit), staged)
    assert.equal(await announced(), 65_536)
    const changes = '  mail.sizeBytesMax: 64KiB → 128KiB\n'
    assert.ok((await cli.run(['settings', 'diff'])).startsWith(changes))
    const applied = await cli.json<Generation>(['settings', 'apply'])
    assert.deepEqual([applied.generation, applied.pending], [2, []])
    assert.equal(await announced(), 131_072)
    assert.equal(await cli.run(['settings', 'diff']), 'no difference\n')
    assert.match(await cli.refused(['settings', 'apply'], 1), /nothing is staged\. watari settings/)
    assert.match(await cli.refused(['settings', 'edit', 'x'], 2), /x is not KEY=VALUE/)
    await cli.run(['settings', 'edit', 'mail.sizeBytesMax=1MiB'])
    assert.equal(await cli.run(['settings', 'edit', '--discard']), 'nothing is staged any more\n')
    assert.equal(await cli.run(['settings', 'diff']), 'no difference\n')
  })

  it('settings history, show, rollback: who, when, what, and back in one step', async () => {
    const history = await cli.run(['settings', 'history'])
    assert.match(history, /^generation 2, .*: apply\n[^]*\ngeneration 1, .*: set\n[^]*→ 64KiB\n$/)
    assert.equal((await cli.run(['settings', 'history', '--limit', '1'])).split('gener').length, 2)
    const then = await cli.run(['settings', 'show', '1'])
    assert.match(then, /^generation 1, [^]*\nmail\.sizeBytesMax = 64KiB\n$/)
    assert.match(await cli.run(['settings', 'diff', '0', '1']), /default \(50MiB\) → 64KiB\n$/)
    const back = await cli.run(['settings', 'rollback', '0'])
    assert.match(back, /^generation 3, .*: rollback to 0\n {2}mail\.sizeBytesMax: 128KiB → default/)
    assert.equal(await announced(), 52_428_800)
    assert.match(await cli.refused(['settings', 'rollback', '99'], 1), /watari settings history/)
    assert.match(await cli.refused(['settings', 'rollback', '前'], 2), /no number of a generation/)
  })

  it('two administrators: one draft for both, and whoever is late is told, losing nothing', async () => {
    await cli.run(['settings', 'edit', 'spam.spamScore=12'])
    const joined = await api('PATCH', '/settings/draft', {
      body: { values: { 'policy.spam': 'hold' } },
    })
    assert.equal(joined.status, 200)
    const both = '  policy.spam: default (accept) → hold\n  spam.spamScore: default (10) → 12\n'
    assert.equal(await cli.run(['settings', 'diff']), both)
    // The second changes something at once: the draft now stands on what is past.
    const put = { seen: 3, body: { value: '2d' } }
    assert.equal((await api('PUT', '/settings/queue.lifetimeMs', put)).status, 200)
    const late = /changed meanwhile: admin made generation 4, you have seen 3\. Look at watari/
    assert.match(await cli.refused(['settings', 'apply'], 1), late)
    assert.match(await cli.refused(['settings', 'edit', 'spam.spamScore=13'], 1), late)
    assert.equal(await cli.run(['settings', 'get', 'queue.lifetimeMs']), '2d\n')
    await cli.run(['settings', 'edit', '--discard'])
    await cli.run(['settings', 'edit', 'spam.spamScore=12'])
    const stale = await api('PATCH', '/settings/draft', {
      seen: 3,
      body: { values: { 'spam.spamScore': 20 } },
    })
    assert.deepEqual([stale.status, stale.body.error?.code], [409, 'conflict'])
    const again = await api('PUT', '/settings/queue.lifetimeMs', put)
    assert.deepEqual([again.status, again.body.error?.code], [409, 'conflict'])
    await cli.run(['settings', 'apply'])
    assert.equal(await cli.run(['settings', 'get', 'spam.spamScore']), '12\n')
    assert.equal(await cli.run(['settings', 'get', 'queue.lifetimeMs']), '2d\n')
    // Both at once: each is a generation of its own, or a conflict; none is half in force.
    const values = ['1MiB', '2MiB', '3MiB', '4MiB']
    const ends = await Promise.all(
      values.map((value) =>
        api('PUT', '/settings/mail.sizeBytesMax', { seen: 5, body: { value } }),
      ),
    )
    assert.equal(ends.filter(({ status }) => status === 409).length, 3)
    const won = values[ends.findIndex(({ status }) => status === 200)]
    assert.equal(await cli.run(['settings', 'get', 'mail.sizeBytesMax']), `${won}\n`)
    assert.equal(await announced(), Number.parseInt(won ?? '', 10) * 1024 ** 2)
  })

  it('access: lets in and shuts out at once, 100,000 networks in one step', async (t) => {
    assert.match(await relay(), /^554 5\.7\.1 /)
    const added = '1 added, 0 removed, 1 network in all\n'
    assert.equal(await cli.run(['access', 'add', '127.0.0.0/8']), added)
    assert.match(await relay(), /^250 2\.0\.0 /)
    await cli.run(['access', 'rm', '127.0.0.0/8'])
    assert.match(await relay(), /^554 5\.7\.1 /)
    const networks = Array.from({ length: 100_000 }, (_, i) => {
      return `${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`
    })
    const file = join(watari.dir, 'networks')
    writeFileSync(file, `# 学内\r\n127.0.0.1 # ここ\n\n${networks.join('\n')}\n`)
    const start = performance.now()
    const imported = await cli.run(['access', 'import', file])
    t.diagnostic(`100,000 networks imported in ${Math.round(performance.now() - start)} ms`)
    assert.equal(imported, '100001 added, 0 removed, 100,001 networks in all\n')
    await until('it may relay', async () => (await relay()).startsWith('250 '))
    const listed = (await cli.run(['access', 'ls'])).trimEnd().split('\n')
    assert.deepEqual(new Set(listed), new Set(['127.0.0.1', ...networks]))
    const { items } = await cli.json<{ items: string[] }>(['access', 'ls'])
    assert.deepEqual(items, listed)
    const bad = await cli.refused(['access', 'add', '10.0.0.0/8', '10.0.0.1/8'], 1)
    assert.match(bad, /row 2: 10\.0\.0\.1\/8 names a host .* write 10\.0\.0\.0\/8/)
    assert.match(await cli.refused(['access', 'add', '0.0.0.0/0'], 1), /the whole Internet/)
    assert.match(await cli.refused(['access', 'rm', '192.0.2.1'], 1), /watari access ls/)
    assert.match(await cli.refused(['access', 'import', '/none'], 1), /\/none cannot be read/)
    writeFileSync(file, '# 学内\n\n10.0.0.0/8 # 全部\n10.0.0.1/8\n')
    const line = /networks, line 4: 10\.0\.0\.1\/8 names a host/
    assert.match(await cli.refused(['access', 'import', file], 1), line)
    const history = await cli.run(['settings', 'history', '--limit', '1'])
    assert.match(
      history,
      /relay\.access: 0 → 100,001 networks\n( {4}\+ \S+\n){10} {4}\+ … and more\nearlier ones with --limit\n$/,
    )
    await cli.run(['settings', 'set', 'relay.access', '--default'])
    await until('it may no more', async () => (await relay()).startsWith('554 5.7.1 '))
  })

  it('the API needs the token, and openapi.json lists every route that the command line uses', async () => {
    for (const token of ['', 'wrong', `${watari.firstRun.apiToken}x`])
      for (const path of ['/status', '/users', '/settings', '/nothing']) {
        const { status, body } = await api('GET', path, { token })
        assert.equal(status, path === '/nothing' ? 404 : 401, path)
        if (path !== '/nothing') assert.equal(body.error?.code, 'unauthorised')
      }
    writeFileSync(join(watari.dir, 'token'), 'wrong\n')
    const wrong = ['status', '--token-file', join(watari.dir, 'token')]
    assert.match(await cli.refused(wrong, 1), /the token is not known\. Give the right one with/)
    const { status, body } = await api('GET', '/openapi.json', { token: '' })
    assert.equal(status, 200)
    const listed = new Set(
      Object.entries(body['paths'] as Record<string, object>).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`),
      ),
    )
    const used = usedRoutes()
    assert.ok(used.length > 30, used.join('\n'))
    assert.deepEqual(
      used.filter((route) => !listed.has(route)),
      [],
    )
  })

  it('a gateway may be away: nothing is told that only it can know, and it takes what it missed', async () => {
    const before = await announced()
    const [supervisor, gateway] = ['main', 'gateway'].map((name) => pidOf(`src/app/${name}.ts`))
    process.kill(supervisor!, 'SIGSTOP')
    try {
      process.kill(gateway!, 'SIGKILL')
      await until('its connection has ended', async () => {
        return /^gateway +gateway .* away /m.test((await cli.call(['node', 'ls'])).stdout)
      })
      const status = await cli.run(['status'])
      assert.match(status, /^queue: +not known$/m)
      assert.match(status, /^no answer: +gateway: /m)
      assert.match(status, /^gateway +gateway .* away .* \S+Z\b/m)
      assert.match(await cli.run(['queue', 'ls']), /^gateway does not answer: /m)
      const { unreachable } = await cli.json<{ unreachable: object[] }>(['queue', 'ls'])
      assert.equal(unreachable.length, 1)
      assert.match(await cli.refused(['queue', 'show', 'Q'], 1), /Try again when the node answers/)
      const set = await cli.call(['settings', 'set', 'mail.sizeBytesMax', '5MiB'])
      assert.equal(set.status, 0)
      const missing = 'watari: written, but gateway has not taken it yet: it is not connected\n'
      assert.equal(set.stderr, missing)
    } finally {
      process.kill(supervisor!, 'SIGCONT')
    }
    assert.notEqual(before, 5 * 1024 ** 2)
    await until('it has what it missed', async () => {
      return (await announced().catch(() => 0)) === 5 * 1024 ** 2
    })
  })

  const pidOf = (name: string): number =>
    descendants(watari.pid()).find(({ command }) => command.includes(name))?.pid ??
    assert.fail(name)

  it('control may be away: mail goes on, and the command line says what to do', async () => {
    const supervisor = pidOf('src/app/main.ts')
    // A supervisor that is asleep starts nothing again.
    process.kill(supervisor, 'SIGSTOP')
    try {
      process.kill(pidOf('src/app/control.ts'), 'SIGKILL')
      await until('control has gone', async () => (await cli.call(['status'])).status === 1)
      const down = await cli.refused(['status'], 1)
      assert.match(down, /control does not answer: .*\. It is started again within 10 s: try again/)
      assert.match(await sendBy({ port: watari.port(25) }, MAIL), /^250 2\.0\.0 /)
      const { status, body } = await api('GET', '/status')
      assert.deepEqual([status, body.error?.code], [503, 'unavailable'])
    } finally {
      process.kill(supervisor, 'SIGCONT')
    }
    await until('control is there again', async () => (await cli.call(['status'])).status === 0)
    await until('all nodes have joined again', async () => {
      const { nodes } = await cli.json<Status>(['status'])
      return nodes.length === 2 && nodes.every(({ state }) => state === 'ready')
    })
    assert.equal(await watari.stop(), 0)
    const stopped = await cli.refused(['queue', 'ls'], 1)
    assert.match(
      stopped,
      /no Watari runs on .*\. Start it with npm start -- --data .*--data DIR\.\n$/,
    )
  })
})

const MAIL = {
  from: 'student@other.example',
  to: 'hanako@campus.example',
  content: 'From: student@other.example\r\nSubject: 会議\r\n\r\n水曜日\r\n',
}

/** `method /path/{}` of each call in the command line's own source. */
function usedRoutes(): string[] {
  const methods: Readonly<Record<string, string>> = { all: 'get', upload: 'post' }
  const folder = fileURLToPath(new URL('../../src/app/cli/', import.meta.url))
  return globSync('*.ts', { cwd: folder }).flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(API_CALL)].map(
      ([, method = '', path = '']) => {
        const route = path
          .replace(/\?.*/, '')
          .replace(/\/\$\{[^}]*\}/g, '/{}')
          .replace(/\$\{[^}]*\}$/, '') // a query that is made elsewhere
        return `${methods[method] ?? method} ${route}`
      },
    ),
  )
}

const API_CALL = /\.api\s*\.(get|all|post|put|patch|delete|upload)\(\s*['`](\/[^'`]*)['`]/g
