import type { Account } from '#model/account.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'

/**
 * Accounts and groups without the source. Who came from it alone stays as one of ours, or lets nobody in;
 * a group that did stays as an alias of ours, or goes.
 */
export function without(directory: Directory, name: string, keeps: boolean): DirectoryEdit[] {
  const edits = directory.accounts().flatMap((account): DirectoryEdit[] => {
    const { origins, bind, isGone, ...rest } = account
    if (origins?.some(({ source: each }) => each === name) !== true) return []
    const left = origins.filter(({ source: each }) => each !== name)
    const after: Account = {
      ...rest,
      ...(bind !== undefined && bind.source !== name && { bind }),
      ...(left.length > 0 || !keeps ? { origins: left } : { isOwn: true }),
      ...(left.length > 0 && isGone === true && { isGone }),
      ...(left.length === 0 &&
        !keeps &&
        account.isOwn !== true && {
          disabled: true,
          isDisabledThere: true,
        }),
    }
    return [{ kind: 'put', row: { kind: 'account', account: after } }]
  })
  return [...edits.toArray(), ...withoutGroups(directory, name, keeps)]
}

function withoutGroups(directory: Directory, name: string, keeps: boolean): DirectoryEdit[] {
  const edits = directory.aliases().flatMap((alias): DirectoryEdit[] => {
    const { origins = [], ...own } = alias
    const left = origins.filter(({ source: each }) => each !== name)
    if (left.length === origins.length) return []
    if (left.length === 0 && !keeps)
      return [{ kind: 'remove', key: rowKey({ kind: 'alias', alias }) }]
    const after = { ...own, ...(left.length > 0 && { origins: left }) }
    return [{ kind: 'put', row: { kind: 'alias', alias: after } }]
  })
  return edits.toArray()
}
