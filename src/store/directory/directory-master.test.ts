import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '#base/time.ts'
import { SqliteDirectoryLog } from './directory-log.ts'
import { directoryContract } from './directory-master.contract.ts'
import { DirectoryMaster } from './directory-master.ts'
import { readRows } from './rows-text.ts'
import { rowKey } from './row-key.ts'

directoryContract('here', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'watari-directory-'))
  const log = new SqliteDirectoryLog(join(dir, 'directory.db'))
  const master = new DirectoryMaster({ log, clock: systemClock })
  await master.load()
  return {
    master,
    log,
    isSame: isDeepStrictEqual,
    home: async () => {
      const page = await log.rows({ after: 0, limit: 1_000 })
      return new Map(readRows(page).map(({ row }) => [rowKey(row), row]))
    },
    close: async () => {
      log.close()
      rmSync(dir, { recursive: true })
    },
  }
})
