import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

const MAIL = fromUtf8('Subject: x\r\n\r\n渡り\r\n')

type Step =
  | { readonly kind: 'append' | 'leave' | 'noop' | 'store' | 'sync' }
  | { readonly kind: 'expunge' | 'flag' | 'move'; readonly at: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('append', 'leave', 'noop', 'store', 'sync') }),
    fc.record({ kind: fc.constantFrom('expunge', 'flag', 'move'), at: fc.nat(9) }),
  ),
  { minLength: 5, maxLength: 30 },
)

/** A client that keeps its messages from one session to the next, and believes only what it is told. */
class Cache {
  readonly flags = new Map<number, string>()
  state: string | undefined

  hear(answer: string): void {
    for (const [, set] of answer.matchAll(/^\* VANISHED (?:\(EARLIER\) )?([\d:,]+)\r$/gm))
      for (const range of set!.split(',')) {
        const [from, to = from] = range.split(':').map(Number)
        for (let uid = from!; uid <= to!; uid++) this.flags.delete(uid)
      }
    for (const [, uid, flags] of answer.matchAll(/\(UID (\d+) FLAGS (\([^)]*\))/g))
      this.flags.set(Number(uid), flags!)
    assert.doesNotMatch(answer, /^\* \d+ EXPUNGE/m)
  }

  async select(client: LineClient): Promise<void> {
    const known = this.state === undefined ? '' : ` (QRESYNC (${this.state}))`
    const answer = await client.command(`SELECT INBOX${known}`)
    this.hear(answer)
    if (this.state === undefined) this.hear(await client.command('UID FETCH 1:* (FLAGS)'))
    this.state = `${/UIDVALIDITY (\d+)/.exec(answer)![1]!} ${/HIGHESTMODSEQ (\d+)/.exec(answer)![1]!}`
    assert.equal(Number(/\* (\d+) EXISTS/.exec(answer)![1]), this.flags.size)
  }
}

test('a client that resynchronises has what the mailbox has (RFC 7162 §3.2.5)', async (t) => {
  const room = await imapRoom(t)
  const other = await room.login()
  await other.command('SELECT INBOX')
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const client = await room.login()
      await client.command('ENABLE QRESYNC')
      const cache = new Cache()
      await cache.select(client)
      let isIn = true
      for (const step of script) {
        if (step.kind === 'append') await other.append('INBOX', MAIL)
        else if (step.kind === 'leave') {
          if (isIn) await client.command('UNSELECT')
          isIn = false
        } else if (step.kind === 'sync') {
          await cache.select(client)
          isIn = true
        } else if (step.kind === 'noop') {
          if (isIn) cache.hear(await client.command('NOOP'))
        } else if (step.kind === 'store') {
          if (isIn) cache.hear(await client.command('UID STORE 1:* +FLAGS (\\Answered)'))
        } else if ('at' in step) {
          const exists = Number(
            /MESSAGES (\d+)/.exec(await other.command('STATUS INBOX (MESSAGES)'))![1],
          )
          await other.command('NOOP')
          if (exists === 0) continue
          const seq = (step.at % exists) + 1
          if (step.kind === 'move') await other.command(`MOVE ${seq} Trash`)
          else await other.command(`STORE ${seq} +FLAGS.SILENT (\\Flagged)`)
          if (step.kind === 'expunge') {
            await other.command(`STORE ${seq} +FLAGS.SILENT (\\Deleted)`)
            await other.command('EXPUNGE')
          }
        }
      }
      await cache.select(client)
      const truth = new Cache()
      truth.hear(await client.command('UID FETCH 1:* (FLAGS)'))
      assert.deepEqual(
        [...cache.flags].toSorted(([a], [b]) => a - b),
        [...truth.flags].toSorted(([a], [b]) => a - b),
      )
      client.end()
    }),
    { numRuns: 60 },
  )
})
