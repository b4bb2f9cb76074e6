import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import type { Sink } from '#test/fake/smtp-sink.ts'
import { startSink } from '#test/fake/smtp-sink.ts'

import { Fleet } from './fleet.ts'
import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { imap, lineClient, messages } from './mail.ts'
import type { LineClient } from './mail.ts'
import { rolePid } from './processes.ts'

/** By each way, while serve is away once. */
const MAILS = Number(process.env['WATARI_MAILS'] ?? 100)
const LANES = 4
const WAIT_MS = 120_000

interface Row {
  readonly queueId: string
  readonly node: string
  readonly door: string
  readonly recipients: readonly { readonly address: string; readonly state: string }[]
}

describe('a deliver whose serve is away', () => {
  let fleet: Fleet
  let gateway: Installation
  let deliver: Installation
  let serve: Installation
  let sink: Sink
  let numbers = 0
  const promised = new Set<string>()
  before(async () => {
    fleet = await Fleet.begin()
    gateway = await fleet.join('gateway', 'gw-1')
    serve = await fleet.join('serve', 'serve-1')
    deliver = await fleet.join('deliver', 'deliver-1')
    sink = await startSink()
    await fleet.cli.run(['settings', 'set', 'judge.enabled', 'false'])
    await fleet.cli.run(['route', 'set', 'held.example', 'hold'])
    const script = 'require "copy"; redirect :copy "友@held.example";\n'
    await fleet.cli.run(['sieve', 'put', 'taro', '転送', '-', '--activate'], script)
    await fleet.allReady()
  })
  after(async () => {
    await fleet.remove()
    await sink.close()
  })

  /** A way in: a foreign gateway by LMTP, or from outside through a gateway of ours. */
  interface Way {
    readonly name: string
    readonly port: number
    readonly hello: string
    /** Answers to whole messages, by their code. */
    readonly answers: Map<string, number>
    count: number
  }
  const way = (name: string, port: number, hello: string): Way => ({
    name,
    port,
    hello,
    answers: new Map(),
    count: 0,
  })

  const send = async (
    client: LineClient,
    one: Way,
    mail: { readonly number: string; readonly to: string },
  ): Promise<void> => {
    const { number, to } = mail
    const answers: string[] = []
    for (const line of ['MAIL FROM:<load@other.example>', `RCPT TO:<${to}@campus.example>`, 'DATA'])
      answers.push(await client.command(line))
    if (answers.at(-1)!.startsWith('354')) {
      client.send(`From: load@other.example\r\nSubject: ${number}\r\n\r\n会議 ${number}\r\n.\r\n`)
      answers.push(await client.reply())
    } else await client.command('RSET')
    const last = answers.find((answer) => !/^[23]/.test(answer)) ?? answers.at(-1)!
    const code = last.slice(0, 3)
    one.answers.set(code, (one.answers.get(code) ?? 0) + 1)
    assert.match(code, /^250|^4/, last)
    if (code !== '250') return
    promised.add(number)
    one.count++
  }

  /** Sends until so many are promised; a connection that ends is made anew. */
  const fill = async (one: Way, count: number, to: string): Promise<void> => {
    const end = Date.now() + WAIT_MS
    const lane = async (): Promise<void> => {
      // What was cut off unanswered is sent again, octet for octet.
      let number: string | undefined
      while (one.count < count || number !== undefined) {
        assert.ok(Date.now() < end, `${one.name}: only ${one.count} of ${count}`)
        try {
          const client = await lineClient(one.port)
          try {
            await client.reply()
            await client.command(one.hello)
            while (one.count < count || number !== undefined) {
              number ??= `n${++numbers}`
              await send(client, one, { number, to })
              number = undefined
            }
          } finally {
            client.close()
          }
        } catch (thrown) {
          if (thrown instanceof assert.AssertionError) throw thrown
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  const rows = async (): Promise<readonly Row[]> =>
    (await fleet.cli.json<{ items: Row[] }>(['queue', 'ls', '--limit', '1000'])).items
  const ofDeliver = async (): Promise<readonly Row[]> =>
    (await rows()).filter(({ node, door }) => node === 'deliver-1' && door === 'lmtp')
  /** What waits in deliver's queue, once control reaches it again: it has been killed just now. */
  const waiting = async (least: number): Promise<readonly Row[]> => {
    let found: readonly Row[] = []
    const isThere = async () => (found = await ofDeliver()).length >= least
    await until(`${least} mails wait in its queue`, isThere, WAIT_MS)
    return found
  }
  const isOpen = ({ recipients }: Row): boolean =>
    recipients.some(({ state }) => state === 'ready' || state === 'claimed')
  const isIdle = ({ recipients }: Row): boolean =>
    recipients.every(({ state }) => state === 'ready')
  const subjects = (found: readonly Buffer[]): string[] =>
    found.map((octets) => /^Subject: (n\d+)\r$/m.exec(octets.toString())?.[1] ?? '')

  /** All that was promised is in the mailboxes, each once, and nothing else. */
  const allFiledOnce = async (): Promise<void> => {
    await until('nothing waits to be filed', async () => !(await rows()).some(isOpen), WAIT_MS)
    const found: string[] = []
    for (const user of ['hanako', 'taro']) {
      const client = await imap(serve, user)
      found.push(...subjects(await messages(client, 'INBOX')))
      await client.logout()
    }
    assert.equal(new Set(found).size, found.length, 'none twice')
    assert.equal(found.length, promised.size)
    assert.deepEqual(
      [...promised].filter((number) => !found.includes(number)),
      [],
    )
  }

  const foreign = () => way('foreign', deliver.port(24), 'LHLO foreign.example')
  const outside = () => way('ours', gateway.port(25), 'EHLO outside.example')
  const killDeliver = async (): Promise<void> => {
    const before = rolePid(deliver, 'deliver')
    process.kill(before, 'SIGKILL')
    await until('deliver is there again', () => {
      try {
        return rolePid(deliver, 'deliver') !== before
      } catch {
        return false
      }
    })
  }
  const told = (ways: readonly Way[]): string =>
    ways
      .map(
        ({ name, answers }) => `${name} ${[...answers].map((each) => each.join(': ')).join(', ')}`,
      )
      .join('; ')

  it(`stopped: takes ${MAILS} mails of a foreign gateway, and files them after a kill -9, each once`, async (t) => {
    await serve.stop()
    const ways = [foreign(), outside()]
    await Promise.all([
      ...ways.map((one) => fill(one, MAILS, 'hanako')),
      until('a third has come', () => ways[0]!.count > MAILS / 3, WAIT_MS).then(killDeliver),
    ])
    await waiting(MAILS)
    await serve.start()
    await allFiledOnce()
    t.diagnostic(told(ways))
  })

  it(`frozen: the same, and each redirect of a script leaves once`, async (t) => {
    const pid = rolePid(serve, 'serve')
    process.kill(pid, 'SIGSTOP')
    const ways = [foreign(), outside()]
    try {
      await Promise.all([
        fill(ways[0]!, MAILS, 'taro'),
        fill(ways[1]!, MAILS, 'hanako'),
        until('a third has come', () => ways[0]!.count > MAILS / 3, WAIT_MS).then(killDeliver),
      ])
      let held = ''
      await until('one that is not being tried is held', async () => {
        held = (await waiting(1)).find(isIdle)?.queueId ?? ''
        return held !== '' && /1 recipient held/.test(await fleet.cli.run(['queue', 'hold', held]))
      })
      assert.match(await fleet.cli.run(['queue', 'show', held]), /held/)
      assert.match(await fleet.cli.run(['queue', 'release', held]), /1 recipient/)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await allFiledOnce()
    t.diagnostic(told(ways))
  })

  it('sends what scripts redirect by its own queue and a gateway, each once', async (t) => {
    const held = async (): Promise<readonly Row[]> =>
      (await rows()).filter(({ node, door }) => node === 'deliver-1' && door === 'outbox')
    const client = await imap(serve, 'taro')
    const copies = subjects(await messages(client, 'INBOX'))
    await client.logout()
    assert.ok(copies.length >= MAILS)
    await until('all are held', async () => (await held()).length === copies.length, WAIT_MS)
    await fleet.cli.run(['route', 'set', 'held.example', `smtp:127.0.0.1:${sink.port}`])
    await fleet.cli.run(['queue', 'release', ...(await held()).map(({ queueId }) => queueId)])
    await until('all have left', async () => (await rows()).length === 0, WAIT_MS)
    const left = subjects(sink.mails.map(({ content }) => content))
    assert.deepEqual(left.toSorted(), copies.toSorted())
    t.diagnostic(`${left.length} redirected`)
  })
})
