import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { utf8 } from './mails.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'

const CLIENTS = 6
const COMMANDS = Number(process.env['WATARI_COMMANDS'] ?? 300)
const SEED = 20_261_127

/** A small seeded generator (mulberry32): a failure can be had again, as far as timing lets it. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** What one client knows of its mailbox, from nothing but what it was told. */
class Client {
  /** UIDs by sequence number less one; 0 where it has not asked yet. */
  readonly uids: number[] = []
  /** Flags by UID, as last told or set. */
  readonly flags = new Map<number, ReadonlySet<string>>()
  told = 0
  readonly #raw: RawImap
  readonly #next: (below: number) => number

  constructor(raw: RawImap, seed: number) {
    this.#raw = raw
    this.#next = random(seed)
  }

  async select(): Promise<void> {
    await this.run('SELECT 会議')
    await this.run('FETCH 1:* (UID FLAGS)')
  }

  /** Runs a command; what is told must fit what was told before (RFC 9051 §7.5.1). */
  async run(command: string, append?: Buffer): Promise<void> {
    const answer =
      append === undefined
        ? await this.#raw.command(command)
        : await this.#raw.append('会議', append)
    const quiet = /^(?:FETCH|STORE|SEARCH) /.test(command)
    for (const line of answer.split('\n')) this.#hear(line, command, quiet)
  }

  #hear(line: string, command: string, quiet: boolean): void {
    const context = `${command}: ${line}`
    const [, number = '', what = '', rest = ''] =
      /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)/.exec(line) ?? []
    const seq = Number(number)
    this.told++
    if (what === 'EXISTS') {
      assert.ok(seq >= this.uids.length, context)
      while (this.uids.length < seq) this.uids.push(0)
    } else if (what === 'EXPUNGE') {
      assert.ok(!quiet && seq >= 1 && seq <= this.uids.length, context)
      this.uids.splice(seq - 1, 1)
    } else if (what === 'FETCH') {
      assert.ok(seq >= 1 && seq <= this.uids.length, context)
      const known = this.uids[seq - 1] ?? 0
      const uid = Number(/UID (\d+)/.exec(rest)?.[1] ?? known)
      assert.ok(known === 0 || known === uid, context)
      this.uids[seq - 1] = uid
      const flags = /FLAGS \((.*?)\)/.exec(rest)?.[1]
      if (flags !== undefined) this.flags.set(uid, new Set(flags.split(' ').filter(Boolean)))
    } else if (/^t\d+ BAD/.test(line)) assert.fail(context)
  }

  /** What it sets without an answer it knows; what others set meanwhile it is told all the same. */
  async #silently(seq: number, flag: string): Promise<void> {
    const flags = this.flags.get(this.uids[seq - 1] ?? 0)
    if (flags !== undefined) this.flags.set(this.uids[seq - 1] ?? 0, new Set([...flags, flag]))
    await this.run(`STORE ${seq} +FLAGS.SILENT (${flag})`)
  }

  /** One command of the kinds that mail programs send, by sequence number and by UID. */
  async once(): Promise<void> {
    const count = this.uids.length
    const seq = count === 0 ? 0 : 1 + this.#next(count)
    const uid = this.uids[seq - 1] ?? 0
    const kind = this.#next(count < 40 ? 13 : 10)
    if (kind >= 10 || count === 0) return this.run('', utf8('一通\r\n'))
    const commands = [
      `FETCH ${seq}:* (UID FLAGS)`,
      `STORE ${seq} +FLAGS (\\Deleted)`,
      `UID STORE ${uid === 0 ? '*' : uid} +FLAGS (\\Seen)`,
      'EXPUNGE',
      'NOOP',
      `UID MOVE ${uid === 0 ? '*' : uid} 別`,
      `COPY ${seq} 会議`,
      `FETCH ${seq} (UID BODY.PEEK[])`,
      `STORE ${seq} -FLAGS (\\Flagged)`,
    ]
    if (kind === 9) return this.#silently(seq, this.#next(2) === 0 ? '\\Flagged' : '\\Draft')
    await this.run(commands[kind] ?? 'NOOP')
  }
}

describe('sequence numbers', () => {
  let watari: Installation
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
  })
  after(() => watari.remove())

  it(`mean to ${CLIENTS} clients what each was told, whatever the others do`, async (t) => {
    const raws = await Promise.all(Array.from({ length: CLIENTS }, () => rawImap(watari, 'hanako')))
    const [first] = raws
    for (const name of ['会議', '別']) await first?.command(`CREATE ${name}`)
    const clients = raws.map((raw, index) => new Client(raw, SEED + index))
    await Promise.all(
      clients.map(async (client) => {
        await client.select()
        for (let i = 0; i < COMMANDS; i++) await client.once()
      }),
    )
    for (const client of clients) {
      await client.run('NOOP')
      await client.run('FETCH 1:* (UID)')
    }
    const fresh = new Client(await rawImap(watari, 'hanako'), 0)
    await fresh.select()
    for (const client of clients) {
      assert.deepEqual(client.uids, fresh.uids)
      for (const uid of fresh.uids)
        assert.deepEqual(client.flags.get(uid) ?? fresh.flags.get(uid), fresh.flags.get(uid))
    }
    for (const raw of raws) raw.close()
    const told = clients.reduce((sum, client) => sum + client.told, 0)
    t.diagnostic(`${CLIENTS * COMMANDS} commands, ${told} responses, ${fresh.uids.length} left`)
  })
})
