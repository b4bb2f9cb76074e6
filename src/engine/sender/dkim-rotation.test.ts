import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { ok } from '#base/outcome.ts'
import { toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import type { DkimKey } from '#model/dkim-key.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { fakeDkimKey, recordOf } from '#test/fake/signing.ts'
import { DkimRotation } from './dkim-rotation.ts'
import type { RotationParts } from './dkim-rotation.ts'

const DOMAIN = 'campus.example'
const ROTATE_DAYS = 90
const ANNOUNCE_DAYS = 14

/** A domain whose keys have signed since now, its name service, and what its postmaster hears. */
function room(keys: readonly DkimKey[], rotateMs = ROTATE_DAYS * DAY_MS) {
  const clock = new FakeClock()
  const signsSince = new Date(clock.nowMs()).toISOString()
  const signing = keys.map((key) => ({ ...key, signsSince }))
  let rows: DirectoryRow[] = [{ kind: 'domain', domain: { name: DOMAIN, dkim: signing } }]
  const records: Record<string, string> = {}
  const mails: { id: string; to: string; text: string }[] = []
  const state = { isDnsAway: false }
  const log = memoryLog()
  const current = () => new MemoryDirectory(rows)
  const directory = {
    get directory() {
      return current()
    },
    update: (make: Parameters<RotationParts['directory']['update']>[0]) => {
      const made = make(current())
      if (!made.ok) return Promise.resolve(made)
      for (const edit of made.value) if (edit.kind === 'put') rows = [edit.row]
      return Promise.resolve(ok({ seq: 1 }))
    },
  }
  const rotation = new DkimRotation({
    directory,
    settings: () => ({
      'dkim.rotateMs': rotateMs,
      'dkim.announceMs': ANNOUNCE_DAYS * DAY_MS,
      'queue.lifetimeMs': 5 * DAY_MS,
    }),
    texts: (name) =>
      Promise.resolve(
        state.isDnsAway ? undefined : records[name] === undefined ? [] : [records[name]],
      ),
    send: ({ id, to, octets }) => {
      mails.push({ id, to: `${to.localpart}@${to.domain}`, text: textOf(octets) })
      return Promise.resolve()
    },
    clock,
    log,
  })
  const all = (): readonly DkimKey[] => current().domain(DOMAIN)?.dkim ?? []
  return {
    clock,
    mails,
    log,
    state,
    run: () => rotation.run(),
    /** A look after so many days. */
    after: async (days: number) => {
      clock.advance(days * DAY_MS)
      await rotation.run()
    },
    publish: (key: DkimKey) => Object.assign(records, recordOf(DOMAIN, key)),
    keys: () => all().map(({ state: at, algorithm }) => `${algorithm} ${at}`),
    key: (at: DkimKey['state']) => all().find((key) => key.state === at)!,
  }
}

const textOf = (octets: Octets): string => {
  const [, body = ''] = toUtf8(octets).split('\r\n\r\n')
  return Buffer.from(body, 'base64').toString('utf8')
}

test('the next key is made in time, told, signs once its record was seen, and the old one goes in the end', async () => {
  const at = room([fakeDkimKey('ed25519')])
  await at.after(ROTATE_DAYS - ANNOUNCE_DAYS - 1)
  assert.deepEqual(at.keys(), ['ed25519 signing'])
  await at.after(1)
  assert.deepEqual(at.keys(), ['ed25519 signing', 'ed25519 made'])
  const next = at.key('made')
  assert.equal(at.mails.length, 1)
  assert.equal(at.mails[0]!.to, `postmaster@${DOMAIN}`)
  assert.ok(at.mails[0]!.text.includes(`${next.selector}._domainkey.${DOMAIN}. IN TXT "v=DKIM1`))
  assert.match(at.mails[0]!.text, /次のレコードを DNS に登録してください/)
  at.publish(next)
  await at.after(1)
  assert.deepEqual(at.keys(), ['ed25519 signing', 'ed25519 published'])
  await at.after(ANNOUNCE_DAYS)
  assert.deepEqual(at.keys(), ['ed25519 retired', 'ed25519 signing'])
  assert.equal(at.key('signing').selector, next.selector)
  assert.equal(at.key('retired').privateKey, undefined)
  assert.equal(at.mails.length, 2)
  assert.match(at.mails[1]!.text, /ed255191\._domainkey\.campus\.example in the DNS until 20/)
  // Its record was needed for the life of the queue and two days.
  await at.after(6)
  assert.deepEqual(at.keys(), ['ed25519 retired', 'ed25519 signing'])
  await at.after(2)
  assert.deepEqual(at.keys(), ['ed25519 signing'])
  assert.equal(at.mails.length, 2)
})

test('a record that never appears changes nothing: the present key signs on, the postmaster is reminded once a week', async () => {
  const at = room([fakeDkimKey('ed25519')])
  for (let day = 0; day < ROTATE_DAYS + 15; day++) await at.after(1)
  assert.deepEqual(at.keys(), ['ed25519 signing', 'ed25519 made'])
  // Once when it was made, and again on the day it was due, a week and two weeks later.
  assert.equal(at.mails.length, 4)
  assert.equal(new Set(at.mails.map(({ id }) => id)).size, 4)
  assert.match(at.mails[3]!.text, /署名は今の鍵で続いています/)
  assert.ok(at.log.lines.some(({ event }) => event === 'dkim.unpublished'))
  // Another's record there is none of it.
  at.publish({ ...fakeDkimKey('ed25519'), selector: at.key('made').selector })
  await at.after(1)
  assert.deepEqual(at.keys(), ['ed25519 signing', 'ed25519 made'])
  at.publish(at.key('made'))
  await at.run()
  assert.deepEqual(at.keys(), ['ed25519 signing', 'ed25519 published'], 'one look is not enough')
  at.clock.advance(HOUR_MS)
  await at.run()
  assert.deepEqual(at.keys(), ['ed25519 retired', 'ed25519 signing'])
})

test('a name service that does not answer is no missing record; each algorithm goes its own way', async () => {
  const at = room([fakeDkimKey('rsa'), fakeDkimKey('ed25519')])
  await at.after(ROTATE_DAYS - 1)
  assert.deepEqual(at.keys(), ['rsa signing', 'ed25519 signing', 'rsa made', 'ed25519 made'])
  assert.equal(at.mails.length, 2)
  at.state.isDnsAway = true
  await at.after(20)
  assert.equal(at.mails.length, 2)
  at.state.isDnsAway = false
  at.publish(at.key('made'))
  await at.run()
  await at.run()
  assert.deepEqual(at.keys(), ['rsa retired', 'ed25519 signing', 'rsa signing', 'ed25519 made'])
})

test('without a schedule, or without a key that signs, nothing is made', async () => {
  const byHand = room([fakeDkimKey('ed25519')], 0)
  await byHand.after(1_000)
  assert.deepEqual(byHand.keys(), ['ed25519 signing'])
  const unused = room([fakeDkimKey('ed25519', { state: 'made' })])
  await unused.after(1_000)
  assert.deepEqual(unused.keys(), ['ed25519 made'])
  assert.equal(byHand.mails.length + unused.mails.length, 0)
})
