import { csnServer, csnVector } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import type { Directory } from '#store/directory/directory.ts'

/** Which changes of each source the rows on the disk are from: nothing older is taken. */
export function floorsOf(directory: Directory): ReadonlyMap<string, CsnVector> {
  const csns = new Map<string, Map<string, string>>()
  for (const { origins = [], isGone } of directory.accounts())
    for (const { source, csn } of isGone === true ? [] : origins) {
      if (csn === undefined) continue
      let newest = csns.get(source)
      if (newest === undefined) csns.set(source, (newest = new Map()))
      const server = csnServer(csn) ?? ''
      if (csn > (newest.get(server) ?? '')) newest.set(server, csn)
    }
  return new Map([...csns].map(([name, newest]) => [name, csnVector(newest.values())]))
}
