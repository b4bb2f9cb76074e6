import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { LdapEntry, LdapMessage, SearchAsk } from '#codec/ldap/message.ts'
import {
  REFRESH_REQUIRED,
  SYNC_INFO,
  readSyncDone,
  readSyncInfo,
  readSyncState,
  syncRequest,
} from '#codec/ldap/sync.ts'
import type { EntryUuid, SyncInfo } from '#codec/ldap/sync.ts'
import type { LdapConnection } from './connection.ts'
import { NOT_OFFERED, SUCCESS, resultFault } from './results.ts'
import { serverName } from './server.ts'

/** What happens to a copy of a search's content (RFC 4533 §3). */
export type SyncEvent =
  | { readonly kind: 'entry'; readonly uuid: EntryUuid; readonly entry: LdapEntry }
  | { readonly kind: 'gone'; readonly uuids: readonly EntryUuid[] }
  | { readonly kind: 'stays'; readonly uuids: readonly EntryUuid[] }
  /** Whatever of the copy was neither sent nor named since the refresh began is gone. */
  | { readonly kind: 'restGone' }
  /** What has come so far brings a copy to this cookie; it is this server's alone. */
  | { readonly kind: 'cookie'; readonly cookie: Octets }
  /** The copy is whole; what comes now is news. */
  | { readonly kind: 'refreshed' }

/** A refresh of a large directory begins with a look through all of it. */
const SILENCE_MS = 60_000

/**
 * The content of a search from the state of a cookie on; with `persist` goes on with what changes, until
 * it is ended or the connection is. Throws Fault `conflict` where the cookie is worth nothing any more:
 * then begin without one; `invalid` where the server has none of it to offer; else as `search` does.
 */
export async function* synchronise(
  connection: LdapConnection,
  ask: SearchAsk,
  { cookie, persist }: { readonly cookie?: Octets; readonly persist: boolean },
): AsyncGenerator<SyncEvent, void, void> {
  const control = syncRequest({
    mode: persist ? 'refreshAndPersist' : 'refreshOnly',
    ...(cookie !== undefined && { cookie }),
  })
  // Behind the refresh a server may have nothing to say for days.
  let isFresh = false
  const options = {
    controls: [control],
    answerMs: () => (isFresh && persist ? ('forever' as const) : SILENCE_MS),
  }
  const decode = <T>(outcome: Outcome<T, string>): T => {
    if (outcome.ok) return outcome.value
    throw new Fault('protocol', `${serverName(connection.server)}: ${outcome.error}`)
  }
  for await (const message of connection.answers({ op: 'search', ...ask }, options)) {
    const { response, controls } = message
    if (response.op === 'entry') yield* entryEvents(message, response.entry, decode)
    else if (response.op === 'intermediate' && response.oid === SYNC_INFO) {
      if (response.value === undefined) continue
      const info = decode(readSyncInfo(response.value))
      isFresh ||= (info.kind === 'presentTold' || info.kind === 'deletesTold') && info.isDone
      yield* infoEvents(info)
    } else if (response.op === 'result') {
      if (response.result.code === REFRESH_REQUIRED)
        throw new Fault('conflict', `${serverName(connection.server)}: the cookie is too old`)
      if (response.result.code === NOT_OFFERED)
        throw new Fault('invalid', `${serverName(connection.server)}: it tells no news`)
      if (response.result.code !== SUCCESS) throw resultFault(connection.server, response.result)
      const done = decode(readSyncDone(controls))
      if (!persist && !done.deletesTold) yield { kind: 'restGone' }
      if (done.cookie !== undefined) yield { kind: 'cookie', cookie: done.cookie }
      if (!persist) yield { kind: 'refreshed' }
    }
  }
}

function* entryEvents(
  { controls }: LdapMessage,
  entry: LdapEntry,
  decode: <T>(outcome: Outcome<T, string>) => T,
): Generator<SyncEvent> {
  const state = decode(readSyncState(controls))
  if (state === undefined) throw new Fault('protocol', `${entry.dn}: an entry without its state`)
  const { uuid } = state
  if (state.state === 'delete') yield { kind: 'gone', uuids: [uuid] }
  else if (state.state === 'present') yield { kind: 'stays', uuids: [uuid] }
  else yield { kind: 'entry', uuid, entry }
  if (state.cookie !== undefined) yield { kind: 'cookie', cookie: state.cookie }
}

function* infoEvents(info: SyncInfo): Generator<SyncEvent> {
  if (info.kind === 'deleted') yield { kind: 'gone', uuids: info.uuids }
  if (info.kind === 'present') yield { kind: 'stays', uuids: info.uuids }
  if (info.kind === 'presentTold') yield { kind: 'restGone' }
  if (info.cookie !== undefined) yield { kind: 'cookie', cookie: info.cookie }
  if ((info.kind === 'presentTold' || info.kind === 'deletesTold') && info.isDone)
    yield { kind: 'refreshed' }
}
