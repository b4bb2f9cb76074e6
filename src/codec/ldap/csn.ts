import { fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/**
 * Up to which change a server of OpenLDAP has come, by the number of the server that each change was made
 * at: its contextCSN. Any two that replicate one another can be compared by it.
 */
export type CsnVector = ReadonlyMap<string, string>

/** `time#count#server#operation`: of one server's changes, the later one is the greater text. */
const CSN = /^\d{14}\.\d{6}Z#[\da-f]{6}#([\da-f]{3})#[\da-f]{6}$/

/** The number of the server that it was made at; undefined for what is no CSN. */
export const csnServer = (csn: string): string | undefined => CSN.exec(csn)?.[1]

export const emptyCsns: CsnVector = new Map()

/** Text that is no CSN is left out. */
export function csnVector(csns: Iterable<string>): CsnVector {
  const vector = new Map<string, string>()
  for (const csn of csns) {
    const server = csnServer(csn)
    if (server !== undefined && csn > (vector.get(server) ?? '')) vector.set(server, csn)
  }
  return vector
}

/** What either has come to. */
export const newerCsns = (a: CsnVector, b: CsnVector): CsnVector =>
  csnVector([...a.values(), ...b.values()])

/** What both have come to. */
export const commonCsns = (a: CsnVector, b: CsnVector): CsnVector =>
  csnVector([...a].flatMap(([server, csn]) => lower(csn, b.get(server))))

const lower = (a: string, b: string | undefined): readonly string[] =>
  b === undefined ? [] : [a < b ? a : b]

/** Whether a server that has come this far knows the change. */
export const hasCsn = (vector: CsnVector, csn: string): boolean =>
  csn <= (vector.get(csnServer(csn) ?? '') ?? '')

/** Whether somebody knows changes that this one does not. */
export const isBehind = (vector: CsnVector, other: CsnVector): boolean =>
  [...other.values()].some((csn) => !hasCsn(vector, csn))

/** How much older what it knows last is than what another one does; 0 where it knows all of it. */
export function lagMs(vector: CsnVector, other: CsnVector): number {
  const timeOf = (csn: string): number =>
    Date.parse(csn.replace(/^(....)(..)(..)(..)(..)(..)\.(...).*$/, '$1-$2-$3T$4:$5:$6.$7Z'))
  let lag = 0
  for (const [server, csn] of other) {
    const own = vector.get(server)
    if (own !== undefined && own < csn) lag = Math.max(lag, timeOf(csn) - timeOf(own))
  }
  return lag
}

/** A cookie of OpenLDAP: `rid=000,sid=001,csn=…;…`. Undefined for those of others, which are nobody's business. */
export function readCsnCookie(
  cookie: Octets,
): { readonly serverId?: string; readonly csns: CsnVector } | undefined {
  const fields = new Map(
    (toUtf8Strict(cookie) ?? '').split(',').map((field) => {
      const at = field.indexOf('=')
      return [field.slice(0, at), field.slice(at + 1)]
    }),
  )
  if (!fields.has('rid')) return undefined
  const serverId = fields.get('sid')
  return {
    ...(serverId !== undefined && { serverId }),
    csns: csnVector((fields.get('csn') ?? '').split(';')),
  }
}

/** The cookie of a copy that has come this far. */
export const csnCookie = (csns: CsnVector): Octets =>
  fromUtf8(`rid=000,csn=${[...csns.values()].toSorted().join(';')}`)
