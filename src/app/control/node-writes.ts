import { Fault, ok } from '#base/outcome.ts'
import type { NewCredential } from '#contract/node/wire.ts'
import type { AccountId } from '#model/account.ts'
import { withAppPassword } from '#model/app-password.ts'
import type { AppPasswordChange } from '#model/app-password.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { SettingsMaster } from '#store/settings/settings-master.ts'
import { withRenewed } from '#app/nodes/new-credential.ts'

/** Puts a new hash or new keys in the place of dated ones, where those are still in force. */
export async function rehash(
  directory: DirectoryMaster,
  settings: SettingsMaster,
  made: NewCredential,
  node: string,
): Promise<void> {
  await directory.update(
    (now) => {
      const before = now.account(made.accountId as AccountId)
      const account = withRenewed(before, made, {
        settings: settings.settings,
        sourceOf: (source) => now.source(source),
      })
      return ok(account === undefined ? [] : [{ kind: 'put', row: { kind: 'account', account } }])
    },
    { who: 'watari', from: `login at ${node}` },
  )
}

/** Somebody's own passwords for programs, as a page of a node says. */
export async function changeAppPassword(
  directory: DirectoryMaster,
  change: AppPasswordChange,
  node: string,
): Promise<'done' | 'limit' | 'notFound'> {
  let end: 'done' | 'limit' | 'notFound' = 'done'
  const who = directory.directory.account(change.accountId)?.username ?? 'nobody'
  const written = await directory.update(
    (now) => {
      const before = now.account(change.accountId)
      const account = before === undefined ? 'notFound' : withAppPassword(before, change)
      end = typeof account === 'string' ? account : 'done'
      return ok(
        typeof account === 'string' ? [] : [{ kind: 'put', row: { kind: 'account', account } }],
      )
    },
    { who, from: `webmail at ${node}` },
  )
  if (!written.ok) throw new Fault('invalid', written.error.message)
  return end
}
