import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { Fleet } from './fleet.ts'
import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages, smtpSend } from './mail.ts'
import { rolePid } from './processes.ts'

const MAILS = Number(process.env['WATARI_MAILS'] ?? 40)
/** They come while `serve` is away. */
const WAITED = 100

describe('a store split into deliver and serve', () => {
  let fleet: Fleet
  let gateway: Installation
  let deliver: Installation
  let serve: Installation
  before(async () => {
    fleet = await Fleet.begin()
    gateway = await fleet.join('gateway', 'gw-1')
    serve = await fleet.join('serve', 'serve-1', {
      env: { WATARI_FAILPOINTS: 'serve.commit.replied=drop@30' },
    })
    deliver = await fleet.join('deliver', 'deliver-1')
  })
  after(() => fleet.remove())

  const mail = (subject: string, body = '会議は水曜日です。\r\n'): Promise<string> =>
    smtpSend(gateway.port(25), {
      from: 'student@other.example',
      to: ['hanako@campus.example'],
      content: `From: student@other.example\r\nTo: hanako@campus.example\r\nSubject: ${subject}\r\n\r\n${body}`,
    })
  const arrived = async (count: number): Promise<readonly string[]> => {
    const client = await imap(serve, 'hanako')
    try {
      await until(`${count} mails are in INBOX`, async () => {
        if ((await countOf(client, 'INBOX')) === count) return true
        await retry()
        return false
      })
      return (await messages(client, 'INBOX')).map((octets) => octets.toString())
    } finally {
      await client.logout()
    }
  }
  const subjects = (found: readonly string[]): string[] =>
    found.map((text) => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '')
  const queue = async (...args: string[]): Promise<readonly string[]> => {
    const { items } = await fleet.cli.json<{ items: { queueId: string }[] }>([
      'queue',
      'ls',
      ...args,
    ])
    return items.map(({ queueId }) => queueId)
  }
  const queued = async (): Promise<number> => (await queue()).length
  const retry = async (): Promise<void> => {
    const waiting = await queue('--state', 'ready')
    if (waiting.length > 0) await fleet.cli.call(['queue', 'retry', ...waiting])
  }

  it('files a small and a large mail that came through a gateway, octet for octet', async () => {
    await fleet.allReady()
    const large = '渡り鳥は海をわたる。\r\n'.repeat(50_000)
    assert.match(await mail('small'), /^250 /)
    assert.match(await mail('large', large), /^250 /)
    const found = await arrived(2)
    assert.deepEqual(subjects(found).toSorted(), ['large', 'small'])
    for (const text of found) assert.match(text, /X-Watari-Verdict: clean/)
    assert.ok(found.some((text) => text.endsWith(`\r\n\r\n${large}`)))
    const trace = await fleet.cli.run(['trace', 'hanako@campus.example'])
    assert.match(trace, /deliver-1/)
    assert.match(trace, /gw-1/)
  })

  it('hands a redirect of a script that control has put there to a gateway', async () => {
    await fleet.cli.run(['route', 'set', 'held.example', 'hold'])
    const script = 'require "copy"; redirect :copy "花子@held.example";\n'
    await fleet.cli.run(['sieve', 'put', 'hanako', '転送', '-', '--activate'], script)
    assert.match(await mail('redirected'), /^250 /)
    await arrived(3)
    await until('the redirect is held in the queue', async () => (await queued()) === 1)
  })

  it('keeps mail in the gateway while serve is away, and says 451 for it', async () => {
    await serve.stop()
    assert.match(await mail('meanwhile'), /^250 /)
    await until('the gateway was told to wait', async () => {
      return /4\.3\.0/.test(await fleet.cli.run(['queue', 'ls']))
    })
    await serve.start()
    await arrived(4)
  })

  it(`makes no doubled mail of ${MAILS} whose commits are not answered, over kill -9 of deliver and a restart of serve`, async (t) => {
    // From its 30th commit on serve answers none: what it has filed is offered again and again.
    const all = Array.from({ length: MAILS }, (_, index) => `no ${index}`)
    for (const [at, subject] of all.entries()) {
      assert.match(await mail(subject), /^250 /)
      if (at === MAILS >> 1 || at === MAILS - 1)
        process.kill(rolePid(deliver, 'deliver'), 'SIGKILL')
      // Mails that wait for it would come together, in few commits.
      if (at === MAILS >> 1) await fleet.allReady()
    }
    await arrived(4 + MAILS)
    const unanswered = (await queue('--state', 'ready')).length
    await serve.stop()
    await serve.start()
    await fleet.allReady()
    await until('only the redirects are left', async () => {
      await retry()
      return (await queued()) === 2 + MAILS
    })
    const found = subjects(await arrived(4 + MAILS))
    t.diagnostic(
      `${found.length} filed, ${unanswered} of them still in the queue without an answer`,
    )
    assert.ok(unanswered > 0)
    assert.equal(new Set(found).size, 4 + MAILS)
  })

  it(`files ${WAITED} mails that waited for serve as soon as it is back, asked by nobody`, async (t) => {
    const client = await imap(serve, 'hanako')
    const before = await countOf(client, 'INBOX')
    await client.logout()
    await serve.stop()
    for (let number = 0; number < WAITED; number++)
      assert.match(await mail(`waited ${number}`), /^250 /)
    await serve.start()
    const backMs = Date.now()
    const again = await imap(serve, 'hanako')
    const isFiled = async () => (await countOf(again, 'INBOX')) === before + WAITED
    await until('all are filed', isFiled, 180_000)
    t.diagnostic(`${WAITED} filed ${Date.now() - backMs} ms after serve was ready`)
    const found = subjects((await messages(again, 'INBOX')).map(String))
    await again.logout()
    assert.equal(new Set(found.filter((subject) => subject.startsWith('waited '))).size, WAITED)
  })

  it('shows both with their roles, and gives deliver no mailboxes of its own', async () => {
    const rows = await fleet.nodes()
    assert.deepEqual(rows.map(({ node, role }) => `${node} ${role}`).toSorted(), [
      'deliver-1 deliver',
      'gw-1 gateway',
      'serve-1 serve',
    ])
    await assert.rejects(imap(deliver, 'hanako'))
  })
})
