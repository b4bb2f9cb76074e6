import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { toUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import type { QueueId } from '#store/spool/spool-store.ts'
import { letter, spoolContract } from '#store/spool/spool.contract.ts'
import { StorageChild } from './child-process.ts'
import type { StorageChildOptions } from './child-process.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-child-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'v-'))

type Child = StorageChild<'spool'>
const make = (dir: string, more: Partial<StorageChildOptions<'spool'>> = {}): Child =>
  new StorageChild({
    kind: 'spool',
    dir,
    clock: systemClock,
    log: memoryLog(),
    options: { reserveBytes: 0 },
    // Calls of a loaded machine are slow, not stalled.
    deadlineMs: 30_000,
    ...more,
  })
/** Turns until it holds; each turn lets the world go on. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
const use = (t: TestContext, child: Child): Child => {
  t.after(async () => {
    await child.stop()
  })
  return child
}

spoolContract('through the pipe', async () => {
  const dir = folder()
  let child = make(dir)
  await child.start()
  return {
    store: child.service('spool'),
    async restart() {
      await child.stop()
      child = make(dir)
      await child.start()
      return child.service('spool')
    },
    end: () => child.stop(),
  }
})

describe('storage child', () => {
  for (const place of ['written', 'synced', 'committed', 'replied'])
    test(`killed at spool.${place}, everything that was accepted is there afterwards`, async (t) => {
      const dir = folder()
      // Late enough that answers to earlier ones have left the process.
      const pass = place === 'replied' ? 13 : 4
      const doomed = use(t, make(dir, { failpoints: `spool.${place}=die@${pass}` }))
      await doomed.start()
      const accepted: QueueId[] = []
      let refusals = 0
      // Five connections, each going on until its spool is lost.
      await Promise.all(
        Array.from({ length: 5 }, async () => {
          for (;;) {
            try {
              accepted.push((await doomed.service('spool').accept(letter())).queueId)
            } catch (thrown) {
              assert.ok(isFault(thrown, 'closed'))
              refusals++
              return
            }
          }
        }),
      )
      assert.equal(refusals, 5)
      assert.ok(accepted.length > 0)
      await doomed.stop()
      const heir = use(t, make(dir))
      await heir.start()
      const spool = heir.service('spool')
      const text = toUtf8(Buffer.concat((letter().content as { octets: Uint8Array[] }).octets))
      for (const queueId of accepted) {
        const { octets } = await spool.read({ queueId, offset: 0, length: 10_000 })
        assert.equal(toUtf8(octets), text)
      }
      const { messages } = await spool.status()
      assert.ok(messages >= accepted.length && messages <= accepted.length + refusals)
    })

  for (const place of ['settling', 'committed', 'settled'])
    test(`killed at spool.${place} of a settle, message and DSN are never both there nor both gone`, async (t) => {
      const dir = folder()
      // The accept passes `committed` once.
      const after = place === 'committed' ? '@2' : ''
      const doomed = use(t, make(dir, { failpoints: `spool.${place}=die${after}` }))
      await doomed.start()
      const { queueId } = await doomed.service('spool').accept(letter())
      await doomed.service('spool').claim({ nowMs: Number.MAX_SAFE_INTEGER, limit: 1 })
      const settle = {
        settlements: [{ queueId, index: 0, kind: 'failed', status: '550 5.1.1 いない' }],
        dsns: [letter(undefined, { door: 'dsn', reversePath: null })],
      } as const
      await assert.rejects(doomed.service('spool').settle(settle), (thrown) =>
        isFault(thrown, 'closed'),
      )
      await doomed.stop()
      const heir = use(t, make(dir))
      await heir.start()
      const doors = async (): Promise<string[]> =>
        (await heir.service('spool').list({ limit: 9 })).messages.map((message) => message.door)
      assert.deepEqual(await doors(), place === 'settling' ? ['mx'] : ['dsn'])
      await heir.service('spool').settle(settle)
      assert.deepEqual(await doors(), ['dsn'])
    })

  test('is started again when it dies, and calls that came meanwhile are answered', async (t) => {
    const log = memoryLog()
    const ends: string[] = []
    const child = use(t, make(folder(), { log, onEnded: (reason) => ends.push(reason) }))
    await child.start()
    const { queueId } = await child.service('spool').accept(letter())
    assert.deepEqual(ends, [])
    process.kill(child.pid!, 'SIGKILL')
    await until(() => child.state().kind === 'down')
    assert.deepEqual(ends, ['SIGKILL'])
    assert.match(child.state().reason!, /SIGKILL/)
    const { message } = await child.service('spool').show({ queueId })
    assert.equal(message?.queueId, queueId)
    assert.equal(child.state().kind, 'ready')
    assert.ok(log.lines.some((line) => line.event === 'storage.ended'))
  })

  test('is waited for as long as was asked, and serves when it is ready', async (t) => {
    const child = use(t, make(folder(), { startMsMax: 1 }))
    await child.start()
    assert.equal(child.state().kind, 'starting')
    assert.equal((await child.service('spool').status()).messages, 0)
    assert.equal(child.state().kind, 'ready')
  })

  test('is stalled while it cannot answer, refuses at once, and is ready again by itself', async (t) => {
    const child = use(t, make(folder(), { deadlineMs: 1_000 }))
    await child.start()
    process.kill(child.pid!, 'SIGSTOP')
    t.after(() => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGCONT')
    })
    const stalled = (thrown: unknown): boolean => isFault(thrown, 'stalled')
    await assert.rejects(child.service('spool').accept(letter()), stalled)
    assert.equal(child.state().kind, 'stalled')
    await assert.rejects(child.service('spool').accept(letter()), stalled)
    process.kill(child.pid!, 'SIGCONT')
    await until(() => child.state().kind === 'ready')
    assert.ok((await child.service('spool').status()).messages <= 1)
  })

  test('a frozen one is not waited for, and its successor waits for its lock', async (t) => {
    const dir = folder()
    const frozen = make(dir)
    await frozen.start()
    process.kill(frozen.pid!, 'SIGSTOP')
    const next = use(t, make(dir))
    await next.start()
    assert.equal(next.state().kind, 'locked')
    assert.match(next.state().reason!, /another process/)
    await assert.rejects(next.service('spool').accept(letter()), (thrown) =>
      isFault(thrown, 'stalled'),
    )
    await frozen.stop()
    await until(() => next.state().kind === 'ready')
    await next.service('spool').accept(letter())
  })

  test('says in one line what is wrong with its folder, and is not tried again', async (t) => {
    const dir = folder()
    const blocked = join(dir, 'file')
    writeFileSync(blocked, '')
    const child = use(t, make(join(blocked, 'spool')))
    await assert.rejects(
      child.start(),
      (thrown) =>
        isFault(thrown, 'io') &&
        thrown.message.startsWith(join(blocked, 'spool')) &&
        !thrown.message.includes('\n'),
    )
    await until(() => child.pid === undefined)
    assert.equal(child.state().kind, 'down')
    assert.match(child.state().reason!, /status 1/)
  })
})
