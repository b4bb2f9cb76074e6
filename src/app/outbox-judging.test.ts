import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { silentLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import type { JudgeAsk } from '#engine/scan/judge.ts'
import type { NewEvent } from '#model/event.ts'
import type { Verdict } from '#model/verdict.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { FIRST_CONTENT, resolveSettings } from '#store/settings/resolve.ts'
import { fakeSigner } from '#test/fake/signing.ts'

import { OutboxDoor } from './nodes/outbox-door.ts'
import { StorageChild } from './storage/child-process.ts'

const CLEAN: Verdict = {
  class: 'clean',
  score: 0,
  hits: [],
  virus: { kind: 'clean' },
  auth: [],
  caseId: 'C1',
  degraded: [],
}
const INFECTED: Verdict = { ...CLEAN, virus: { kind: 'infected', name: 'EICAR' } }

test('what users submit to the store is judged before it is queued; the rest was judged before', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'watari-judging-'))
  const storage = new StorageChild({
    kind: 'spool',
    dir,
    clock: systemClock,
    log: silentLog,
    options: { reserveBytes: 0 },
    deadlineMs: 60_000,
  })
  await storage.start()
  t.after(async () => {
    await storage.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const spool = storage.service('spool')
  const events: NewEvent[] = []
  const asked: { ask: JudgeAsk; text: string }[] = []
  let verdict = CLEAN
  const resolved = await resolveSettings(FIRST_CONTENT, () => Promise.resolve(undefined))
  assert.ok(resolved.ok)
  let settings = resolved.value
  let wakes = 0
  const door = new OutboxDoor({
    spool,
    signer: fakeSigner().signer,
    directory: new MemoryDirectory(),
    clock: systemClock,
    lifetimeMs: () => 1_000_000,
    accepted: () => wakes++,
    judging: {
      judge: {
        judge: async (ask) => {
          asked.push({ ask, text: toUtf8(await ask.source.read(0, 100)) })
          return verdict
        },
      },
      settings: () => settings,
      events: { emit: (event) => events.push(event) },
    },
  })
  const take = async (id: string, kind: OutboxHead['kind'], octets: Uint8Array) => {
    const head: OutboxHead = {
      id,
      kind,
      reversePath: { localpart: 'hanako', domain: 'mail.example' },
      recipients: [{ localpart: '花子', domain: 'mail.example' }],
      body: '8bitmime',
      smtpUtf8: true,
      sizeBytes: octets.length,
    }
    await door.take(
      head,
      (async function* () {
        yield octets
      })(),
    )
    const { messages } = await spool.list({ limit: 100 })
    const queued = messages.find(({ deliveryId }) => deliveryId === id)
    if (queued === undefined) return undefined
    const { octets: start } = await spool.read({ queueId: queued.queueId, offset: 0, length: 500 })
    const [recipient] = queued.recipients
    return { ...recipient!, verdict: queued.verdict, text: toUtf8(start) }
  }
  const mail = fromUtf8('Subject: 会議\r\n\r\n本文\r\n')

  const clean = await take('D1', 'submission', mail)
  assert.deepEqual([clean!.state, clean!.verdict?.class], ['ready', 'clean'])
  assert.match(clean!.text, /^X-Watari-Verdict: clean;[\s\S]*\r\nSubject: 会議/)
  assert.deepEqual([asked[0]!.ask.door, asked[0]!.text], ['submission', toUtf8(mail)])

  verdict = INFECTED
  const held = await take('D2', 'submission', mail)
  assert.equal(held!.state, 'held')
  assert.match(held!.hold ?? held!.lastStatus ?? '', /EICAR/)
  assert.equal((await take('D2', 'submission', mail))!.state, 'held', 'a repetition is the same')
  const large = await take('D3', 'submission', Buffer.alloc(RECORD_BYTES_MAX + 1, 'x'))
  assert.equal(large!.state, 'held')
  settings = { ...settings, 'policy.infected': 'discard' }
  assert.equal(await take('D4', 'submission', mail), undefined)
  assert.deepEqual(
    events.map(({ name, deliveryId, fields }) => [name, deliveryId, fields['disposition']]),
    [
      ['outbox.judged', 'D1', 'accept'],
      ['outbox.judged', 'D2', 'reject'],
      ['outbox.judged', 'D2', 'reject'],
      ['outbox.judged', 'D3', 'reject'],
      ['outbox.judged', 'D4', 'discard'],
    ],
  )
  for (const kind of ['redirect', 'forward', 'reject'] as const) {
    const other = await take(`D5${kind}`, kind, mail)
    assert.deepEqual(
      [other!.state, other!.verdict, other!.text],
      ['ready', undefined, toUtf8(mail)],
    )
  }
  settings = { ...settings, 'judge.enabled': false }
  assert.equal((await take('D6', 'submission', mail))!.state, 'ready')
  assert.equal(asked.length, 5)
  assert.equal(wakes, 8)
})
