import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LongMessages, isLongCall, sendAnswer, sendLongCall } from './long-call.ts'
import type { PipeEnd } from './pipe.ts'

/** A pipe whose other end keeps what came, by turns of the event loop. */
function keepingPipe() {
  const sent: (readonly unknown[])[] = []
  let turns = 0
  const count = (): void => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  const turnOf: number[] = []
  const pipe: PipeEnd = {
    send: (value) => {
      sent.push(value as readonly unknown[])
      turnOf.push(turns)
    },
    flush: () => undefined,
    destroy: () => undefined,
  }
  return { pipe, sent, turnOf, end: () => clearImmediate(timer) }
}

const entries = (count: number) => Array.from({ length: count }, (_, i) => ({ 番号: i }))

test('a commit for thousands goes in parts with turns in between, and is whole at the other end', async () => {
  const { pipe, sent, turnOf, end } = keepingPipe()
  const argument = { contents: ['本文'], commits: entries(2_345) }
  const call = ['call', 7, 'mailbox', 'commit', argument] as const
  assert.equal(isLongCall(call), true)
  await sendLongCall(pipe, call)
  end()
  assert.equal(new Set(turnOf).size, turnOf.length, 'each in a turn of its own')
  const long = new LongMessages()
  for (const message of sent.slice(0, -1)) {
    assert.equal(message[0], 'part')
    assert.ok((message[2] as unknown[]).length <= 100)
    long.add(message[1] as number, message[2] as unknown[])
  }
  const [kind, id, , , last] = sent.at(-1)!
  assert.equal(kind, 'call')
  assert.deepEqual(long.whole(id as number, last, 'commits'), argument)
  // Nothing of it is left, and other calls are as they came.
  assert.deepEqual(long.whole(7, { commits: [1] }, 'commits'), { commits: [1] })
})

test('so do its results; what is short goes at once', async () => {
  const { pipe, sent, end } = keepingPipe()
  await sendAnswer(pipe, ['answer', 7, { results: entries(250) }])
  const short = ['answer', 8, { results: entries(2) }] as const
  const sending = sendAnswer(pipe, short)
  assert.deepEqual(sent.at(-1), short)
  await sending
  end()
  assert.deepEqual(
    sent.map(([kind, id]) => [kind, id]),
    [...Array(3).keys()]
      .map(() => ['part', 7] as unknown[])
      .concat([
        ['answer', 7],
        ['answer', 8],
      ]),
  )
  assert.equal(isLongCall(['call', 9, 'mailbox', 'commit', { commits: entries(2) }]), false)
})

test('a mail to thousands that is claimed goes in parts, with others beside it', async () => {
  const { pipe, sent, end } = keepingPipe()
  const messages = [
    { queueId: 'Q1', recipients: entries(2), isBulk: false },
    { queueId: 'Q2', recipients: entries(1_234), isBulk: true },
    { queueId: 'Q3', recipients: [] },
  ]
  await sendAnswer(pipe, ['answer', 7, { messages, nextDueMs: 5 }])
  const few = { messages: [{ queueId: 'Q4', recipients: entries(900) }] }
  await sendAnswer(pipe, ['answer', 8, few])
  end()
  const long = new LongMessages()
  const answers: unknown[] = []
  for (const message of sent)
    if (message[0] === 'part') {
      assert.ok((message[2] as unknown[]).length <= 100)
      long.add(message[1] as number, message[2] as unknown[])
    } else answers.push(long.whole(message[1] as number, message[2], 'results'))
  assert.equal(sent.length, 13 + 2)
  assert.deepEqual(answers, [{ messages, nextDueMs: 5 }, few])
})
