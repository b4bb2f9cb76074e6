import { join } from 'node:path'
import { armFailpoints } from '#base/failpoint.ts'
import { silentLog } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { HomeKeeper } from '#engine/home/home-keeper.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { accountOf } from '#store/directory/directory-master.contract.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'

/*
 * Control's part of a home on LDAP, to be killed: writes edits of three rows one after another and says
 * which are done, until the failpoint that it is given ends it. FOLDER FAILPOINT NAME
 */
const [dir = '', point = '', name = ''] = process.argv.slice(2)
const log = new SqliteDirectoryLog(join(dir, 'directory.db'))
const directory = new DirectoryMaster({ log, clock: systemClock })
await directory.load()
const keeper = new HomeKeeper({
  directory,
  log,
  shelf: log.home,
  scriptShelf: log.scriptHome,
  scriptStore: () => {
    throw new Fault('unavailable', 'no store has joined yet')
  },
  clock: systemClock,
  trouble: silentLog,
  scramIterations: () => undefined,
})
await keeper.start()
const isWell = (): boolean => {
  const state = keeper.state()
  return state.kind === 'ldap' && state.state === 'well'
}
while (!isWell()) await new Promise((resolve) => setTimeout(resolve, 20))
armFailpoints(point)
for (let n = 1; ; n++) {
  const rows = [20, 21, 22].map((each) => accountOf(`student${each}`, { name: `${name}${n}` }))
  const done = await directory.write(
    rows.map((row) => ({ kind: 'put', row })),
    { who: '管理者', from: 'test' },
  )
  if (!done.ok) throw new Error(done.error.message)
  process.stdout.write(`${name}${n}\n`)
}
