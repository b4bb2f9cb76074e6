import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import type { AccountId } from '#model/account.ts'
import { FileSearchIndex } from './file-search-index.ts'
import { indexedEmail, searchIndexContract } from './search-index.contract.ts'
import type { IndexUnderTest } from './search-index.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-search-'))
after(() => rmSync(root, { recursive: true, force: true }))

function open(): Promise<IndexUnderTest> {
  const dir = mkdtempSync(join(root, 'fts-'))
  const make = (): FileSearchIndex => new FileSearchIndex({ dir, clock: systemClock, turnMs: 1 })
  let index = make()
  return Promise.resolve({
    index,
    reopen: async () => {
      await index.close()
      index = make()
      return index
    },
    close: () => index.close(),
  })
}

searchIndexContract('files', open)

const accountId = 'hanako' as AccountId
const mail = (body: string): Uint8Array => fromUtf8(`Subject: 件名\r\n\r\n${body}\r\n`)

async function fill(dir: string): Promise<void> {
  const index = new FileSearchIndex({ dir, clock: systemClock })
  for (let part = 0; part < 3; part++) {
    const emails = Array.from({ length: 50 }, (_, i) =>
      indexedEmail(part * 50 + i, mail(`渡り鳥の観察 ${part * 50 + i} 番`)),
    )
    await index.add({ accountId, from: part * 50, to: part * 50 + 50, emails })
    await index.flush({ accountId })
  }
  await index.close()
}

test('an index that is deleted while it is searched is a gap, and is filled again', async () => {
  const dir = mkdtempSync(join(root, 'deleted-'))
  await fill(dir)
  const index = new FileSearchIndex({ dir, clock: systemClock })
  const query = { kind: 'text', places: ['body'], term: foldText('観察') } as const
  const within = Uint32Array.from({ length: 150 }, (_, i) => i)
  assert.equal((await index.find({ accountId, query, within })).upTo, 150)
  rmSync(dir, { recursive: true })
  assert.deepEqual((await index.gaps({ accountIds: [accountId] })).gaps, [{ from: 0 }])
  const emails = [...within].map((n) => indexedEmail(n, mail(`渡り鳥の観察 ${n} 番`)))
  assert.deepEqual(await index.add({ accountId, from: 0, to: 150, emails }), { taken: true })
  const again = await index.find({ accountId, query, within })
  assert.deepEqual([again.upTo, [...again.found]], [150, [...within]])
  await index.close()
  assert.equal(readdirSync(dir).length, 1)
})

test('an octet that has changed costs its own segment, which is indexed again', async () => {
  const dir = mkdtempSync(join(root, 'rot-'))
  await fill(dir)
  const [account] = readdirSync(dir)
  const files = readdirSync(join(dir, account!)).toSorted()
  assert.equal(files.length, 3)
  const path = join(
    dir,
    account!,
    files.find((name) => name.startsWith('1e-'))!,
  )
  const query = { kind: 'text', places: ['body'], term: foldText('の観察') } as const
  for (let at = 3; at < statSync(path).size; at += 97) {
    const copy = mkdtempSync(join(root, 'copy-'))
    await fill(copy)
    const file = join(copy, account!, path.split('/').at(-1)!)
    const fd = openSync(file, 'r+')
    writeSync(fd, Buffer.from([(at & 0xff) ^ 0x5a, 0x77]), 0, 2, at)
    closeSync(fd)
    const index = new FileSearchIndex({ dir: copy, clock: systemClock })
    // Found out at the opening or at the first look; what is answered is right in any case.
    for (let ask = 0; ask < 3; ask++) {
      const { found, upTo } = await index.find({ accountId, query })
      assert.deepEqual(
        [...found],
        Array.from({ length: Math.min(upTo, 150) }, (_, i) => i),
      )
    }
    const { gaps } = await index.gaps({ accountIds: [accountId] })
    const [gap] = gaps
    if (gap!.from < 150) {
      assert.deepEqual(gap, { from: 50, to: 100 })
      const emails = Array.from({ length: 50 }, (_, i) => indexedEmail(50 + i, mail('の観察')))
      await index.add({ accountId, from: 50, to: 100, emails })
      await index.flush({ accountId })
      assert.equal((await index.find({ accountId, query })).found.length, 150)
    }
    await index.close()
    rmSync(copy, { recursive: true })
  }
})

test('a search of a hundred thousand words ends, and so does one of deep nesting', async () => {
  const dir = mkdtempSync(join(root, 'deep-'))
  await fill(dir)
  const index = new FileSearchIndex({ dir, clock: systemClock })
  const term = foldText('渡り鳥の観察'.repeat(20_000))
  const places = ['body'] as const
  const found = await index.find({ accountId, query: { kind: 'text', places, term } })
  assert.equal(found.found.length, 0)
  await index.close()
})

test('below the reserve nothing is indexed, and what is there is found', async () => {
  const dir = mkdtempSync(join(root, 'full-'))
  await fill(dir)
  const reserveBytes = Number.MAX_SAFE_INTEGER
  const index = new FileSearchIndex({ dir, clock: systemClock, reserveBytes })
  const part = { accountId, from: 150, to: 151, emails: [indexedEmail(150, mail('渡り鳥の観察'))] }
  await assert.rejects(index.add(part), (thrown) => isFault(thrown, 'full'))
  const query = { kind: 'text', places: ['body'], term: foldText('の観察') } as const
  const { found, upTo } = await index.find({ accountId, query })
  assert.deepEqual([found.length, upTo], [150, 150])
  await index.close()
})
