import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { DAY_MS, FakeClock, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import { append, expunging, largeContent, text } from '#store/mailbox/contract/contract-bench.ts'
import { assertSound, openBench } from '#store/mailbox/contract/works.ts'
import type { Opened } from '#store/mailbox/contract/works.ts'

import { loopDisk } from './loop-disk.ts'
import type { LoopDisk } from './loop-disk.ts'

/*
 * This file is also the store whose power goes: `store-power.test.ts child DIR LIFE` delivers, expunges,
 * expires, purges and compacts all at once, and says what it has answered, a word a line:
 *
 *   +N delivered   ?N will be expunged   -N is expunged   jN delivered into Junk   >N will expire   <N expired
 */

const CUTS = Number(process.env['WATARI_POWER_CUTS'] ?? 5)
const ANSWERS_A_CUT = 60
const LIFE_NUMBERS = 1_000_000
/** Lives are so far apart that the mail of the last one lies in segments that are old. */
const startOf = (life: number): number => Date.now() + (life + 1) * 100 * DAY_MS

const bodyOf = (n: number): string => {
  const head = `Subject: ${n}\r\n\r\n会議の資料 ${n}\r\n`
  return n % 25 === 3 ? head.padEnd(300_000, '渡り鳥。') : head.repeat(1 + (n % 40))
}

async function child(dir: string, life: number): Promise<void> {
  const clock = new FakeClock(startOf(life))
  const opened = await openBench(dir, clock)
  const { bench, store } = opened
  const inbox = await bench.idOf('INBOX')
  const say = (word: string): void => void writeSync(1, `${word}\n`)
  let last = life * LIFE_NUMBERS
  const living: { readonly n: number; readonly uid: number }[] = []
  const contentOf = async (n: number) => {
    const body = bodyOf(n)
    return body.length > 200_000 ? largeContent(store, Buffer.from(body)) : text(body)
  }
  const deliver = async (): Promise<void> => {
    for (;;) {
      const n = ++last
      const contents = [await contentOf(n)]
      const [appended] = await bench.done([append(['INBOX'])], { contents, deliveryId: `D${n}` })
      say(`+${n}`)
      if (n % 3 === 0 && appended?.kind === 'append') living.push({ n, uid: appended.uid })
    }
  }
  const expunge = async (): Promise<void> => {
    for (;;) {
      const next = living.shift()
      if (next !== undefined) {
        say(`?${next.n}`)
        await bench.done([expunging(inbox, [next.uid])])
        say(`-${next.n}`)
      }
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  const expire = async (): Promise<void> => {
    let old: number[] = []
    for (;;) {
      const fresh: number[] = []
      for (let count = 0; count < 5; count++) {
        const n = ++last
        await bench.done([append(['Junk'])], {
          contents: [text(bodyOf(1 + (n % 20)).replace(/^Subject: \d+/, `Subject: ${n}`))],
        })
        say(`j${n}`)
        fresh.push(n)
      }
      for (const n of old) say(`>${n}`)
      // What came before the last sixteen days is due, what came since is not.
      await store.expire({ asOfMs: clock.nowMs(), dryRun: false, limit: 10_000 })
      for (const n of old) say(`<${n}`)
      old = fresh
      clock.advance(31 * DAY_MS)
    }
  }
  const upkeep = async (work: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      await work()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  await Promise.race([
    deliver(),
    deliver(),
    expunge(),
    expire(),
    upkeep(() => store.purge({ beforeMs: clock.nowMs() - HOUR_MS })),
    upkeep(async () => {
      await store.compact()
      clock.advance(2 * MINUTE_MS)
    }),
  ])
}

class Answers {
  readonly delivered = new Set<number>()
  readonly #junk = new Set<number>()
  readonly leaving = new Set<number>()
  readonly expunged = new Set<number>()
  count = 0

  hear(line: string): void {
    const n = Number(line.slice(1))
    this.count++
    if (line[0] === '+' || line[0] === 'j') this.delivered.add(n)
    if (line[0] === 'j') this.#junk.add(n)
    if (line[0] === '?' || line[0] === '>') this.leaving.add(n)
    if (line[0] === '-' || line[0] === '<') this.expunged.add(n)
  }

  /** To the next life all Junk is old. */
  age(): void {
    for (const n of this.#junk) this.leaving.add(n)
  }
}

/** The numbers in a mailbox, each mail whole. */
async function numbersIn({ bench }: Opened, name: string): Promise<number[]> {
  const id = await bench.idOf(name)
  const numbers: number[] = []
  for (const uid of (await bench.view(id)).uids) {
    const whole = await bench.read(id, uid)
    const n = Number(/^Subject: (\d+)/m.exec(whole)?.[1])
    assert.ok(name !== 'INBOX' || whole.endsWith(bodyOf(n)), `mail ${n} is whole`)
    numbers.push(n)
  }
  return numbers
}

/** What was answered stands, once; what was expunged has gone for good. */
async function audit(opened: Opened, answers: Answers): Promise<void> {
  const found = [...(await numbersIn(opened, 'INBOX')), ...(await numbersIn(opened, 'Junk'))]
  const there = new Set(found)
  assert.equal(there.size, found.length, 'each once')
  const lost = [...answers.delivered].filter((n) => !there.has(n) && !answers.leaving.has(n))
  assert.deepEqual(lost, [], 'nothing that was answered is lost, nothing expired too soon')
  const back = [...answers.expunged].filter((n) => there.has(n))
  assert.deepEqual(back, [], 'nothing that was expunged is back')
  const { recounted } = await opened.store.recount()
  assert.deepEqual(recounted, [], 'its counters are right')
  const { damaged, mended } = await opened.store.scrub({ limitBytes: 1e9 })
  assert.deepEqual([damaged, mended], [[], 0])
}

function main(): void {
  describe('a store whose power goes', () => {
    let disk: LoopDisk | undefined
    before(async () => {
      disk = await loopDisk()
    })
    after(() => disk?.remove())

    it(`amid deliveries, expunges, expiry, purge and compaction, ${CUTS} times: what was answered stands`, async (t) => {
      if (disk === undefined) return t.skip('needs root, loop mounts, mkfs.ext4 and python3')
      const { dir } = disk
      const answers = new Answers()
      for (let life = 0; life < CUTS; life++) {
        const args = [import.meta.filename, 'child', dir, String(life)]
        const store = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
        const ended = once(store, 'exit')
        const until = answers.count + ANSWERS_A_CUT * (1 + (life % 3))
        let cut: Promise<void> | undefined
        for await (const line of createInterface({ input: store.stdout })) {
          answers.hear(line)
          if (answers.count >= until) cut ??= disk.cutPower().then(() => void store.kill('SIGKILL'))
        }
        assert.ok(cut !== undefined, 'it lived until its power went')
        await cut
        await ended
        await disk.remount()
        const opened = await openBench(dir, new FakeClock(startOf(life)))
        try {
          await audit(opened, answers)
        } finally {
          await opened.store.close()
        }
        assertSound(dir)
        answers.age()
      }
      t.diagnostic(
        `${answers.delivered.size} delivered, ${answers.expunged.size} expunged or expired; ${readdirSync(join(dir, 'seg')).length} segments`,
      )
      assert.ok(answers.expunged.size > CUTS)
    })
  })
}

if (process.argv[2] === 'child') await child(process.argv[3]!, Number(process.argv[4]))
else main()
