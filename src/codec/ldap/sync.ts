import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Outcome } from '#base/outcome.ts'
import {
  BOOLEAN,
  BerReader,
  ENUMERATED,
  Malformed,
  OCTET_STRING,
  SET,
  context,
  contextOf,
  integer,
  octetString,
  sequence,
} from './ber.ts'
import type { LdapControl } from './message.ts'
import { decoded } from './response.ts'

/** Content synchronisation (RFC 4533 §2). */
export const SYNC_REQUEST = '1.3.6.1.4.1.4203.1.9.1.1'
const STATE = '1.3.6.1.4.1.4203.1.9.1.2'
const DONE = '1.3.6.1.4.1.4203.1.9.1.3'
export const SYNC_INFO = '1.3.6.1.4.1.4203.1.9.1.4'
/** Result code e-syncRefreshRequired: the cookie is worth nothing any more (RFC 4533 §2.6). */
export const REFRESH_REQUIRED = 4096

const MODES = { refreshOnly: 1, refreshAndPersist: 3 } as const
const STATES = ['present', 'add', 'modify', 'delete'] as const

/** An entry's immutable name: entryUUID in its usual form, lower-case. */
export type EntryUuid = string

export function syncRequest(ask: {
  readonly mode: keyof typeof MODES
  readonly cookie?: Octets
}): LdapControl {
  const parts = [integer(MODES[ask.mode], ENUMERATED)]
  if (ask.cookie !== undefined) parts.push(octetString(ask.cookie))
  return { oid: SYNC_REQUEST, critical: true, value: sequence(...parts) }
}

/** What an entry's arrival says of it (RFC 4533 §2.3). */
export interface SyncState {
  readonly state: (typeof STATES)[number]
  readonly uuid: EntryUuid
  readonly cookie?: Octets
}

/** Undefined where the entry came without that control. `own`: as which the entry itself tells its name. */
export const readSyncState = (
  controls: readonly LdapControl[],
  own?: EntryUuid,
): Outcome<SyncState | undefined, string> =>
  decoded(() => {
    const value = controls.find(({ oid }) => oid === STATE)?.value
    if (value === undefined) return undefined
    const parts = new BerReader(value).enter()
    const state = STATES[parts.integer(ENUMERATED)]
    if (state === undefined) throw new Malformed('a state of no kind')
    const octets = parts.octets()
    // The text that is there already: of a large directory each is kept.
    const uuid = own !== undefined && isUuid(own, octets) ? own : uuidOf(octets)
    const cookie = parts.optional(OCTET_STRING)
    return { state, uuid, ...(cookie !== undefined && { cookie }) }
  })

/**
 * What is said between entries (RFC 4533 §2.5). A refresh has up to two phases: in that of the present
 * each entry that stayed is named, and what nobody names is gone; in that of the deleted, what went.
 */
export type SyncInfo =
  | { readonly kind: 'cookie'; readonly cookie: Octets }
  /** The phase ends; `isDone`: the refresh with it. */
  | {
      readonly kind: 'deletesTold' | 'presentTold'
      readonly cookie?: Octets
      readonly isDone: boolean
    }
  | {
      readonly kind: 'deleted' | 'present'
      readonly uuids: readonly EntryUuid[]
      readonly cookie?: Octets
    }

export const readSyncInfo = (value: Octets): Outcome<SyncInfo, string> =>
  decoded(() => {
    const choice = new BerReader(value)
    if (choice.tag === context(0)) return { kind: 'cookie', cookie: choice.octets(context(0)) }
    if (choice.tag === contextOf(3)) return readIds(choice.enter(contextOf(3)))
    const kind = choice.tag === contextOf(1) ? 'deletesTold' : 'presentTold'
    const parts = choice.enter(contextOf(kind === 'deletesTold' ? 1 : 2))
    const cookie = parts.optional(OCTET_STRING)
    const isDone = parts.tag === BOOLEAN ? parts.boolean() : true
    return { kind, isDone, ...(cookie !== undefined && { cookie }) }
  })

function readIds(parts: BerReader): SyncInfo {
  const cookie = parts.optional(OCTET_STRING)
  const kind = parts.tag === BOOLEAN && parts.boolean() ? 'deleted' : 'present'
  const uuids: EntryUuid[] = []
  for (const set = parts.enter(SET); !set.done;) uuids.push(uuidOf(set.octets()))
  return { kind, uuids, ...(cookie !== undefined && { cookie }) }
}

/** The end of a refresh without persisting (RFC 4533 §2.4). */
export interface SyncDone {
  readonly cookie?: Octets
  /** What went was told by name; else whatever was not named is gone. */
  readonly deletesTold: boolean
}

export const readSyncDone = (controls: readonly LdapControl[]): Outcome<SyncDone, string> =>
  decoded(() => {
    const value = controls.find(({ oid }) => oid === DONE)?.value
    if (value === undefined) return { deletesTold: false }
    const parts = new BerReader(value).enter()
    const cookie = parts.optional(OCTET_STRING)
    const deletesTold = parts.tag === BOOLEAN && parts.boolean()
    return { deletesTold, ...(cookie !== undefined && { cookie }) }
  })

const UUID_OCTETS = 16

function uuidOf(octets: Octets): EntryUuid {
  if (octets.length !== UUID_OCTETS) throw new Malformed('an entryUUID that is none')
  const hex = bufferOf(octets).toString('hex')
  const part = (from: number, to: number): string => hex.slice(from, to)
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`
}

/** Whether the text is this one, in its usual form. */
function isUuid(text: string, octets: Octets): boolean {
  if (octets.length !== UUID_OCTETS || text.length !== UUID_CHARACTERS) return false
  let at = 0
  for (const octet of octets) {
    if (DASHES.has(at) && text.charCodeAt(at++) !== DASH) return false
    if (text.charCodeAt(at++) !== HEX.charCodeAt(octet >>> 4)) return false
    if (text.charCodeAt(at++) !== HEX.charCodeAt(octet & 0x0f)) return false
  }
  return true
}

const UUID_CHARACTERS = 36
const HEX = '0123456789abcdef'
const DASH = 0x2d
const DASHES: ReadonlySet<number> = new Set([8, 13, 18, 23])
