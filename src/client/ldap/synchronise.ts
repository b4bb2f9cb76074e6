import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { EntryReader, LdapEntry, LdapMessage, SearchAsk } from '#codec/ldap/message.ts'
import { readEntry } from '#codec/ldap/response.ts'
import {
  REFRESH_REQUIRED,
  SYNC_INFO,
  readSyncDone,
  readSyncInfo,
  readSyncState,
  syncRequest,
} from '#codec/ldap/sync.ts'
import type { EntryUuid, SyncInfo, SyncState } from '#codec/ldap/sync.ts'
import type { LdapConnection } from './connection.ts'
import { NOT_OFFERED, SUCCESS, resultFault } from './results.ts'
import { serverName } from './server.ts'

/** What happens to a copy of a search's content (RFC 4533 §3). */
export type SyncEvent<Entry = LdapEntry> =
  | { readonly kind: 'entry'; readonly uuid: EntryUuid; readonly entry: Entry }
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
  options: SyncOptions,
): AsyncGenerator<SyncEvent, void, void> {
  const batches = synchroniseAs(connection, ask, { ...options, readEntryAs: readEntry })
  for await (const events of batches) yield* events
}

interface SyncOptions {
  readonly cookie?: Octets
  readonly persist: boolean
}

/** The same as much at once as has come, with entries in the form in which they are wanted. */
export async function* synchroniseAs<Entry>(
  connection: LdapConnection,
  ask: SearchAsk,
  options: SyncOptions & {
    readonly readEntryAs: EntryReader<Entry>
    /** The name that an entry itself tells. */
    readonly uuidIn?: (entry: Entry) => EntryUuid | undefined
  },
): AsyncGenerator<readonly SyncEvent<Entry>[], void, void> {
  const { cookie, persist, readEntryAs, uuidIn } = options
  const control = syncRequest({
    mode: persist ? 'refreshAndPersist' : 'refreshOnly',
    ...(cookie !== undefined && { cookie }),
  })
  // Behind the refresh a server may have nothing to say for days.
  let isFresh = false
  const asking = {
    controls: [control],
    answerMs: () => (isFresh && persist ? ('forever' as const) : SILENCE_MS),
  }
  const decode = <T>(outcome: Outcome<T, string>): T => {
    if (outcome.ok) return outcome.value
    throw new Fault('protocol', `${serverName(connection.server)}: ${outcome.error}`)
  }
  /** Those of one message, behind the ones before. */
  const put = ({ response, controls }: LdapMessage<Entry>, events: SyncEvent<Entry>[]): void => {
    if (response.op === 'entry') {
      const state = readSyncState(controls, uuidIn?.(response.entry))
      putEntry(response.entry, decode(state), events)
    } else if (response.op === 'intermediate' && response.oid === SYNC_INFO) {
      if (response.value === undefined) return
      const info = decode(readSyncInfo(response.value))
      isFresh ||= (info.kind === 'presentTold' || info.kind === 'deletesTold') && info.isDone
      events.push(...infoEvents(info))
    } else if (response.op === 'result') {
      if (response.result.code === REFRESH_REQUIRED)
        throw new Fault('conflict', `${serverName(connection.server)}: the cookie is too old`)
      if (response.result.code === NOT_OFFERED)
        throw new Fault('invalid', `${serverName(connection.server)}: it tells no news`)
      if (response.result.code !== SUCCESS) throw resultFault(connection.server, response.result)
      const done = decode(readSyncDone(controls))
      if (!persist && !done.deletesTold) events.push({ kind: 'restGone' })
      if (done.cookie !== undefined) events.push({ kind: 'cookie', cookie: done.cookie })
      if (!persist) events.push({ kind: 'refreshed' })
    }
  }
  const request = { op: 'search', ...ask } as const
  for await (const messages of connection.answersAs(readEntryAs, request, asking)) {
    const events: SyncEvent<Entry>[] = []
    try {
      for (const message of messages) put(message, events)
    } catch (thrown) {
      // What was told before it is true all the same.
      yield events
      throw thrown
    }
    yield events
  }
}

function putEntry<Entry>(
  entry: Entry,
  state: SyncState | undefined,
  events: SyncEvent<Entry>[],
): void {
  if (state === undefined) throw new Fault('protocol', 'an entry without its state')
  const { uuid, cookie } = state
  if (state.state === 'delete') events.push({ kind: 'gone', uuids: [uuid] })
  else if (state.state === 'present') events.push({ kind: 'stays', uuids: [uuid] })
  else events.push({ kind: 'entry', uuid, entry })
  if (cookie !== undefined) events.push({ kind: 'cookie', cookie })
}

function* infoEvents(info: SyncInfo): Generator<Exclude<SyncEvent, { readonly kind: 'entry' }>> {
  if (info.kind === 'deleted') yield { kind: 'gone', uuids: info.uuids }
  if (info.kind === 'present') yield { kind: 'stays', uuids: info.uuids }
  if (info.kind === 'presentTold') yield { kind: 'restGone' }
  if (info.cookie !== undefined) yield { kind: 'cookie', cookie: info.cookie }
  if ((info.kind === 'presentTold' || info.kind === 'deletesTold') && info.isDone)
    yield { kind: 'refreshed' }
}
