import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { append, hanako } from '#store/mailbox/contract/contract-bench.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'

const MAILS = 64

test('texts of many mails take few turns of a loop that deliveries have too, in order, without what is damaged', async () => {
  const store = new FakeMailboxStore()
  for (let n = 0; n < MAILS; n++)
    await store.commit({
      contents: [{ octets: [fromUtf8(`Subject: ${n}\r\n\r\n会議の議事録、その${n}。\r\n`)] }],
      commits: [{ accountId: hanako, changes: [append(['INBOX'])] }],
    })
  store.blobs.rot('content', 'その7。')
  const read = store.blobs.read.bind(store.blobs)
  store.blobs.read = async (...ask) => {
    await new Promise(setImmediate)
    return read(...ask)
  }
  const reading = { turns: 0, isDone: false }
  const texts = store.texts({ accountId: hanako, from: 1 }).finally(() => (reading.isDone = true))
  for (; !reading.isDone; reading.turns++) await new Promise(setImmediate)
  const { emails, to } = await texts
  assert.equal(to, MAILS + 1)
  assert.deepEqual(
    emails.map(({ emailNumber }) => emailNumber),
    Array.from({ length: MAILS }, (_, n) => n + 1),
  )
  for (const [n, { content }] of emails.entries())
    if (n === 7) assert.equal(content, undefined)
    else assert.equal(toUtf8(content!.octets[0]!), `会議の議事録、その${n}。\r\n`)
  // One after the other they take two turns each.
  assert.ok(reading.turns < MAILS / 2, `${reading.turns} turns`)
  await store.close()
})
