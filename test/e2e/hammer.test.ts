import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { HammerImap } from './hammer-imap.ts'
import type { Box, Kind } from './hammer-imap.ts'
import { HammerJmap, HammerLmtp, HammerPop3 } from './hammer-others.ts'
import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { Facts, Told, flagsText, numbersOf } from './told.ts'
import type { Known } from './told.ts'

const ROUNDS = Number(process.env['WATARI_HAMMER_ROUNDS'] ?? 2)
const COMMANDS = Number(process.env['WATARI_HAMMER_COMMANDS'] ?? 40)
const SEED = Number(process.env['WATARI_HAMMER_SEED'] ?? 20_261_127)

const PLAIN = { rev2: false, condStore: false, qresync: false }
const KINDS: readonly Kind[] = [
  { name: 'rev1', ...PLAIN },
  { name: 'rev1 that idles', ...PLAIN, idles: true },
  { name: 'rev2', ...PLAIN, rev2: true },
  { name: 'condstore', ...PLAIN, condStore: true },
  { name: 'condstore, compressed', ...PLAIN, condStore: true, compress: true },
  { name: 'qresync', ...PLAIN, condStore: true, qresync: true, dies: true },
  {
    name: 'qresync of rev2',
    rev2: true,
    condStore: true,
    qresync: true,
    compress: true,
    dies: true,
  },
]

const FRESH: Kind = { name: 'fresh', ...PLAIN, condStore: true }

describe('ten clients at one mailbox', () => {
  let watari: Installation
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
  })
  after(() => watari.remove())

  it('know at each quiet point what the server knows, from what they were told', async (t) => {
    t.diagnostic(`seed ${SEED} (WATARI_HAMMER_SEED)`)
    const owner = await rawImap(watari, 'hanako')
    await owner.command('CREATE 会議')
    const facts = new Facts()
    const imaps = KINDS.map(
      (kind, index) => new HammerImap(watari, kind, { facts, seed: SEED + index }),
    )
    const lmtp = await HammerLmtp.open(watari, SEED + 10)
    const jmap = await HammerJmap.open(watari, SEED + 11)
    const pop = new HammerPop3(watari, SEED + 12)
    for (const imap of imaps) await imap.open()
    for (let round = 1; round <= ROUNDS; round++) {
      const busy = Promise.all([
        ...imaps
          .filter(({ kind }) => kind.idles !== true)
          .map((imap) => guarded(imap, () => times(COMMANDS, () => imap.once()))),
        times(COMMANDS / 2, () => lmtp.once()),
        times(COMMANDS / 4, () => jmap.once()),
        times(COMMANDS / 4, () => pop.once()),
      ])
      const over = busy.then(
        () => undefined,
        () => undefined,
      )
      const isOver = { yes: false }
      void over.then(() => (isOver.yes = true))
      const idlers = imaps
        .filter(({ kind }) => kind.idles === true)
        .map((imap) =>
          guarded(imap, async () => {
            while (!isOver.yes) {
              await imap.idle(over)
              await imap.once()
            }
          }),
        )
      await Promise.all([busy, ...idlers])
      await quiet(imaps, { facts, jmap, pop, owner })
    }
    const before = await truths(facts)
    for (const imap of imaps) imap.close()
    lmtp.close()
    owner.close()
    await watari.stop()
    await watari.start()
    // From what lies on the disk, not from what is kept in memory.
    assert.deepEqual(await truths(facts), before)
    const sum = (of: (imap: HammerImap) => number): number =>
      imaps.reduce((n, imap) => n + of(imap), 0)
    t.diagnostic(
      `${sum(({ commands }) => commands)} commands, ${sum(({ responses }) => responses)} responses, ` +
        `${pop.deleted} taken by POP3, ${before.map(({ messages }) => messages.length).join(' and ')} left`,
    )
  })

  async function truths(facts: Facts): Promise<{ box: string; messages: Known[] }[]> {
    const found: { box: string; messages: Known[] }[] = []
    for (const box of ['会議', 'INBOX'] as const) {
      const fresh = new HammerImap(watari, FRESH, { facts, seed: 0 })
      await guarded(fresh, () => fresh.open(box))
      found.push({ box, messages: fresh.told.messages })
      fresh.close()
    }
    return found
  }

  /** Nobody changes anything: everybody's view, search and count are those of a session that has just come. */
  async function quiet(
    imaps: readonly HammerImap[],
    others: { facts: Facts; jmap: HammerJmap; pop: HammerPop3; owner: RawImap },
  ): Promise<void> {
    const { facts, jmap, pop, owner } = others
    for (const box of ['会議', 'INBOX'] as const) {
      const fresh = new HammerImap(watari, FRESH, { facts, seed: 0 })
      await guarded(fresh, () => fresh.open(box))
      for (const { uid } of fresh.told.messages)
        assert.ok(!facts.gone.has(`${box} ${uid}`), `UID ${uid} of ${box} came back`)
      for (const imap of imaps.filter(({ told }) => told.box === box))
        await guarded(imap, async () => {
          await imap.run('NOOP')
          imap.compare(fresh.told)
          await imap.look()
          imap.compare(fresh.told)
          await searches(imap)
        })
      await counts(owner, { box, told: fresh.told })
      await emailsAgree(fresh, jmap)
      if (box === 'INBOX') assert.equal(await pop.count(), fresh.told.messages.length)
      fresh.close()
    }
    await jmap.follow()
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
    assert.deepEqual([...jmap.emails.values()].toSorted(byId), (await jmap.all()).toSorted(byId))
  }
})

/** A disagreement is told with what the client sent and heard. */
async function guarded(imap: HammerImap, run: () => Promise<void>): Promise<void> {
  await run().catch((thrown: unknown) => {
    const { message } = thrown as Error
    throw new Error(
      `seed ${SEED}, ${imap.kind.name} in ${imap.told.box}: ${message}\n${imap.log.join('\n')}`,
      { cause: thrown },
    )
  })
}

async function times(count: number, run: () => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i++) await run()
}

const SEARCHES: readonly [string, (flags: readonly string[]) => boolean][] = [
  ['UNSEEN', (flags) => !flags.includes('\\Seen')],
  ['DELETED', (flags) => flags.includes('\\Deleted')],
  ['KEYWORD label1', (flags) => flags.some((flag) => flag.toLowerCase() === 'label1')],
  ['NOT OR FLAGGED DRAFT', (flags) => !flags.includes('\\Flagged') && !flags.includes('\\Draft')],
]

async function searches(imap: HammerImap): Promise<void> {
  for (const [key, wants] of SEARCHES) {
    const { messages } = imap.told
    await imap.run(`UID SEARCH RETURN (ALL) ${key}`)
    const all = / ALL ([\d:,]+)/.exec(imap.log.at(-2) ?? '')?.[1]
    assert.deepEqual(
      all === undefined ? [] : numbersOf(all),
      messages.filter(({ flags }) => wants(flags!.split(' '))).map(({ uid }) => uid),
      key,
    )
  }
}

/** STATUS, which is counted as changes come, against what FETCH tells of each message. */
async function counts(owner: RawImap, { box, told }: { box: Box; told: Told }): Promise<void> {
  const items = 'MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED HIGHESTMODSEQ'
  const status = await owner.command(`STATUS ${box} (${items})`)
  const of = (name: string): number => Number(new RegExp(`${name} (\\d+)`).exec(status)?.[1])
  const lacks = (flag: string): number =>
    told.messages.filter(({ flags }) => !flags!.split(' ').includes(flag)).length
  const { length } = told.messages
  assert.equal(of('MESSAGES'), length)
  assert.equal(of('UNSEEN'), lacks('\\Seen'))
  assert.equal(of('DELETED'), length - lacks('\\Deleted'))
  assert.equal(of('UIDVALIDITY'), told.uidValidity)
  assert.equal(of('UIDNEXT'), told.uidNext)
  assert.equal(of('HIGHESTMODSEQ'), told.highest)
  assert.ok(of('UIDNEXT') > (told.messages.at(-1)?.uid ?? 0))
}

/** JMAP shows the mailbox as IMAP does, by the same ids (RFC 8474 §5.1), but for what is \Deleted. */
async function emailsAgree(fresh: HammerImap, jmap: HammerJmap): Promise<void> {
  await jmap.follow()
  const ids = await fresh.emailIds()
  const kept = fresh.told.messages
    .map(({ flags }, index) => ({ id: ids[index]!, flags: flags!.split(' ') }))
    .filter(({ flags }) => !flags.includes('\\Deleted'))
  const mailboxId = jmap.boxes[fresh.told.box]!
  const shown = [...jmap.emails.values()].filter(({ mailboxIds }) => mailboxIds[mailboxId])
  const wanted = new Set(kept.map(({ id }) => id))
  const missing = [...wanted].filter((id) => !shown.some((email) => email.id === id))
  const extra = shown.filter(({ id }) => !wanted.has(id))
  assert.deepEqual({ missing, extra }, { missing: [], extra: [] }, fresh.told.box)
  for (const { id, keywords, mailboxIds } of shown) {
    const copies = kept.filter((one) => one.id === id)
    if (copies.length > 1 || Object.keys(mailboxIds).length > 1) continue
    const flags = copies[0]!.flags.map((flag) => flag.replace('\\', '$').toLowerCase())
    assert.equal(flagsText(Object.keys(keywords)), flagsText(flags), id)
  }
}
