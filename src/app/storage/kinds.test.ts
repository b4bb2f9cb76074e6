import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { isFault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { FileSettingsCopy } from '#store/settings/settings-copy.ts'
import { isStorageKind, KINDS } from './kinds.ts'
import type { KindContext, StorageKind } from './kinds.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-kinds-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'v-'))

const contextOf = (dir: string): KindContext => ({
  dir,
  clock: new FakeClock(),
  options: { reserveBytes: 0 },
  notify: () => undefined,
})

async function openAndClose(kind: StorageKind, dir: string): Promise<void> {
  const stores = await KINDS[kind](contextOf(dir))
  await stores.close()
}

/** Opened and closed once: what each test of the kind begins with. */
const made = new Map<StorageKind, string>()
async function folderOf(kind: StorageKind): Promise<string> {
  const first = made.get(kind) ?? folder()
  if (!made.has(kind)) await openAndClose(kind, first)
  made.set(kind, first)
  const dir = folder()
  cpSync(first, dir, { recursive: true })
  return dir
}

/** Names and hashes of the folder's files. */
const files = (dir: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

/** Raises the version as a later program would; with `crashed` only in the WAL, as if it had died then. */
function raise(path: string, ending: 'closed' | 'crashed'): void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.exec('CREATE TABLE later (名 TEXT); UPDATE version SET version = version + 1')
  if (ending === 'closed') return db.close()
  const beside = join(folder(), basename(path))
  copyFileSync(path, beside)
  copyFileSync(`${path}-wal`, `${beside}-wal`)
  db.close()
  copyFileSync(beside, path)
  copyFileSync(`${beside}-wal`, `${path}-wal`)
}

const DATABASES: Readonly<Record<StorageKind, readonly string[]>> = {
  spool: ['binds.db', 'directory.db', 'events.db', 'spool.db'],
  mailbox: ['binds.db', 'directory.db', 'events.db', 'mailbox.db', 'sessions.db'],
  search: [],
  control: [
    'binds.db',
    'directory.db',
    'index.db',
    'nodes.db',
    'sessions.db',
    'settings.db',
    'sources.db',
    'tokens.db',
    'upkeep.db',
    'uses.db',
  ],
}

for (const kind of Object.keys(KINDS).filter(isStorageKind))
  describe(`a storage child's ${kind} folder`, () => {
    it('holds the databases that are looked at here', async () => {
      const dir = await folderOf(kind)
      assert.deepEqual(
        readdirSync(dir).filter((name) => /\.db/.test(name)),
        DATABASES[kind],
      )
    })

    for (const name of DATABASES[kind])
      for (const ending of ['closed', 'crashed'] as const)
        it(`whose ${name} a later program has ${ending} is refused in one line and left as it was`, async () => {
          const dir = await folderOf(kind)
          const good = await folderOf(kind)
          const path = join(dir, name)
          raise(path, ending)
          const before = files(dir)
          const line = new RegExp(
            `^${path}: has version \\d+ of [a-z ]+, this program knows up to \\d+$`,
          )
          for (let start = 0; start < 2; start++)
            await assert.rejects(
              openAndClose(kind, dir),
              (thrown) => isFault(thrown, 'version') && line.test(thrown.message),
            )
          const left = files(dir)
          for (const each of [path, `${path}-wal`, `${path}-shm`])
            assert.equal(left.get(each), before.get(each), each)
          assert.deepEqual([...left.keys()], [...before.keys()])
          copyFileSync(join(good, name), path)
          rmSync(`${path}-wal`, { force: true })
          await openAndClose(kind, dir)
        })
  })

it("a node's copy of the settings that a later program has written is refused likewise", async () => {
  const path = join(folder(), 'settings.json')
  const text = 'watari-settings 2 00\n{"設定": {}}'
  writeFileSync(path, text)
  await assert.rejects(
    new FileSettingsCopy(path).load(),
    (thrown) =>
      isFault(thrown, 'version') &&
      thrown.message ===
        `${path}: has version 2 of the copy of the settings, this program knows up to 1`,
  )
  assert.equal(readFileSync(path, 'utf8'), text)
})
