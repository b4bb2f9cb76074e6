import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import type { AccountId } from '#model/account.ts'
import { FileSearchIndex } from './file-search-index.ts'
import { indexedEmail } from './search-index.contract.ts'

const accountId = 'hanako' as AccountId
const dir = process.env['WATARI_KILL_DIR'] ?? mkdtempSync(join(tmpdir(), 'watari-search-kill-'))
if (process.env['WATARI_KILL_DIR'] === undefined)
  after(() => rmSync(dir, { recursive: true, force: true }))

const KILLS = 12
const PER_PART = 7
const bodyOf = (number: number): string =>
  `渡り鳥 ${number % 5 === 0 ? '会議' : '日記'} 第${number}便`

/** Indexes parts one after another from where the index stands, until it is killed. */
async function fillFor(ever: FileSearchIndex): Promise<never> {
  process.stdout.write('begun\n')
  for (;;) {
    const { gaps } = await ever.gaps({ accountIds: [accountId] })
    const { from } = gaps[0]!
    const emails = Array.from({ length: PER_PART }, (_, i) =>
      indexedEmail(from + i, fromUtf8(`Subject: 件名\r\n\r\n${bodyOf(from + i)}\r\n`)),
    )
    await ever.add({ accountId, from, to: from + PER_PART, emails })
    await ever.flush({ accountId })
  }
}

if (process.env['WATARI_KILL_DIR'] === undefined)
  test('a kill at any moment loses nothing that was flushed, and finds nothing false', async () => {
    let before = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, [import.meta.filename], {
        env: { ...process.env, WATARI_KILL_DIR: dir, NODE_TEST_CONTEXT: undefined },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      // No event tells of the middle of a write: any moment is as good as another.
      await new Promise((resolve) => setTimeout(resolve, 20 + kill * 17))
      child.kill('SIGKILL')
      await once(child, 'exit')
      const index = new FileSearchIndex({ dir, clock: systemClock })
      const { gaps } = await index.gaps({ accountIds: [accountId] })
      const { from: upTo, to } = gaps[0]!
      assert.equal(to, undefined, 'no part is missing in between')
      assert.ok(upTo >= before && upTo % PER_PART === 0)
      const find = async (term: string): Promise<number[]> => {
        const query = { kind: 'text', places: ['body'], term: foldText(term) } as const
        return [...(await index.find({ accountId, query })).found]
      }
      const all = Array.from({ length: upTo }, (_, i) => i)
      assert.deepEqual(await find('渡り'), all)
      assert.deepEqual(
        await find('会議'),
        all.filter((number) => number % 5 === 0),
      )
      if (upTo > 0) assert.deepEqual(await find(`第${upTo - 1}便`), [upTo - 1])
      await index.close()
      before = upTo
    }
    assert.ok(before >= KILLS * PER_PART, `${before} are indexed`)
    const [account] = readdirSync(dir)
    const left = readdirSync(join(dir, account!)).filter((name) => !name.endsWith('.fts'))
    assert.deepEqual(left, [], 'what was half written is gone')
  })
else await fillFor(new FileSearchIndex({ dir: process.env['WATARI_KILL_DIR'], clock: systemClock }))
