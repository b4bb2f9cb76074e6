import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import { FakeClock } from '#base/time.ts'
import { rebuildMailboxes } from '#store/mailbox/upkeep/rebuild.ts'
import { openKind, READOUTS } from '#tools/golden/readout.ts'
import type { GoldenKind } from '#tools/golden/readout.ts'
import { isStorageKind } from './kinds.ts'
import type { ServicesOf } from './kinds.ts'

const GOLDEN = join(import.meta.dirname, '../../../test/golden')
const root = mkdtempSync(join(tmpdir(), 'watari-golden-'))
after(() => rmSync(root, { recursive: true, force: true }))

const isGoldenKind = (kind = ''): kind is GoldenKind =>
  kind === 'copies' || (isStorageKind(kind) && kind !== 'search')
const folders = readdirSync(GOLDEN).flatMap((name) => {
  const [kind, version] = name.split('-')
  return version !== undefined && isGoldenKind(kind) ? [{ name, kind }] : []
})

interface Noted {
  readonly noted: unknown
}

describe('data of earlier programs', () => {
  it('stands here for each kind of storage', () => {
    assert.deepEqual(
      new Set(folders.map(({ kind }) => kind)),
      new Set(['mailbox', 'spool', 'copies', 'control']),
    )
  })

  for (const { name, kind } of folders)
    it(`${name} opens, is read out exactly, and once more after that`, async () => {
      const dir = join(root, name)
      cpSync(join(GOLDEN, name), dir, { recursive: true })
      const expected: unknown = JSON.parse(readFileSync(join(dir, 'readout.json'), 'utf8'))
      for (let start = 0; start < 2; start++) {
        const opened = await openKind(kind, dir)
        const readout = await READOUTS[kind](opened.services as never)
        await opened.close()
        assert.deepEqual(JSON.parse(JSON.stringify(readout)), expected)
      }
    })

  it('a lost database is made anew from the journal of an earlier program', async () => {
    const dir = join(root, 'lost')
    cpSync(join(GOLDEN, 'mailbox-v3'), dir, { recursive: true })
    rmSync(join(dir, 'mailbox.db'))
    const report = rebuildMailboxes({
      dir,
      clock: new FakeClock(),
      dryRun: false,
      onProgress: () => undefined,
    })
    assert.equal(report.proves, 'whole')
    const opened = await openKind('mailbox', dir)
    const { mailboxes } = opened.services as ServicesOf<'mailbox'>
    const hanako = 'hanako' as AccountId
    const { mailboxes: rows } = await mailboxes.mailboxes({ accountId: hanako })
    const inbox = rows.find(({ use }) => use === 'inbox')!
    const ask = { accountId: hanako, mailboxId: inbox.id }
    const { entries } = await mailboxes.acl(ask)
    assert.deepEqual(
      entries?.map(({ who }) => who),
      ['-taro', 'anyone', 'taro'],
    )
    const flags = async (by: string) =>
      [...(await mailboxes.view({ ...ask, by: by as AccountId }))!.flags].map((each) => each & 1)
    assert.deepEqual(
      [await flags('taro'), await flags('hanako')],
      [
        [1, 0],
        [0, 0],
      ],
    )
    await opened.close()
  })

  it('with it comes what commits have noted for those who did not hear their answer', async () => {
    const dir = join(root, 'lost-noted')
    cpSync(join(GOLDEN, 'mailbox-v5'), dir, { recursive: true })
    const { noted } = JSON.parse(readFileSync(join(dir, 'readout.json'), 'utf8')) as Noted
    rmSync(join(dir, 'mailbox.db'))
    const given = { dir, clock: new FakeClock(), dryRun: false, onProgress: () => undefined }
    assert.equal(rebuildMailboxes(given).proves, 'whole')
    const opened = await openKind('mailbox', dir)
    const readout = await READOUTS.mailbox(opened.services as never)
    await opened.close()
    assert.notEqual(noted, undefined)
    assert.deepEqual((readout as Noted).noted, noted)
  })

  it('the mailboxes go on where they stood: UIDs, and deliveries that were made', async () => {
    const dir = join(root, 'on')
    cpSync(join(GOLDEN, 'mailbox-v1'), dir, { recursive: true })
    const opened = await openKind('mailbox', dir)
    const { mailboxes } = opened.services as ServicesOf<'mailbox'>
    const accountId = 'hanako' as AccountId
    const ask = await mailboxes.mailboxes({ accountId })
    const before = ask.mailboxes.find(({ use }) => use === 'inbox')!
    const deliver = async (deliveryId: string) => {
      const { results } = await mailboxes.commit({
        contents: [{ octets: [fromUtf8('新しい')] }],
        commits: [
          {
            accountId,
            deliveryId,
            changes: [
              {
                kind: 'append',
                mailbox: { id: before.id },
                content: 0,
                flags: 0,
                keywords: [],
                internalDateMs: 0,
              },
            ],
          },
        ],
      })
      return results[0]!
    }
    assert.equal((await deliver('D1')).kind, 'duplicate')
    const filed = await deliver('D2')
    assert.ok(filed.kind === 'committed' && filed.results[0]?.kind === 'append')
    assert.equal(filed.results[0].uid, before.uidNext)
    const view = await mailboxes.view({ accountId, mailboxId: before.id })
    assert.ok(view!.mailbox.highestModSeq > before.highestModSeq)
    await opened.close()
  })
})
