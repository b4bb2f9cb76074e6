import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type {
  KeptObject,
  KeptObjects,
  ObjectChange,
  ObjectChanges,
  ObjectKind,
} from '#store/mailbox/kept-object.ts'
import { annotationId, OBJECT_KINDS } from '#store/mailbox/kept-object.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { findAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** Objects of a kind that an account may have, and whether the oldest gives way to one more. */
const LIMITS: Readonly<Record<ObjectKind, { readonly max: number; readonly rotates: boolean }>> = {
  Annotation: { max: 2_000, rotates: false },
  AsideMail: { max: 2_000, rotates: true },
  EmailSubmission: { max: 1_000, rotates: true },
  HeldPost: { max: 2_000, rotates: false },
  Identity: { max: 200, rotates: false },
  ListAnswer: { max: 2_000, rotates: true },
  ListBounce: { max: 10_000, rotates: true },
  ListDigest: { max: 10, rotates: false },
  ListKey: { max: 10, rotates: false },
  ListTry: { max: 1_000, rotates: true },
  Post: { max: 20_000, rotates: true },
  PushSubscription: { max: 50, rotates: false },
  Recipients: { max: 2_000, rotates: true },
  SeenId: { max: 5_000, rotates: true },
}
/** A submission is remembered for so long, and the loss of any object is told for so long. */
const OBJECTS_KEPT_MS = 30 * DAY_MS

type Place = Pick<AccountWork, 'sql' | 'aid' | 'nowMs'>

/** The entry waits no more once it is done or withdrawn. */
const WAITS = 'EXISTS (SELECT 1 FROM outbox x WHERE x.id = o.entry)'

/** All of the kind, or those of these ids. */
export function listObjects(
  sql: Sql,
  accountId: AccountId,
  kind: ObjectKind,
  ids?: readonly string[],
): KeptObjects {
  const account = findAccount(sql, accountId, 0)
  if (account === undefined) return { state: 0, objects: [] }
  const { aid } = account
  return {
    state: stateOf(account, kind),
    objects: sql
      .all<[string, number, number, string]>(
        `SELECT o.id, o.made_at, ${WAITS}, o.value FROM object o
         WHERE o.aid = ? AND o.kind = ? AND o.gone_at IS NULL
         ${ids === undefined ? '' : 'AND o.id IN (SELECT value FROM json_each(?))'}
         ORDER BY o.made_seq`,
        aid,
        kind,
        ...(ids === undefined ? [] : [JSON.stringify(ids)]),
      )
      .map(([id, madeAtMs, waits, value]) => ({
        id,
        madeAtMs,
        waits: waits === 1,
        value: JSON.parse(value) as KeptObject['value'],
      })),
  }
}

export function objectStates(sql: Sql, accountId: AccountId): Record<ObjectKind, number> {
  const account = findAccount(sql, accountId, 0)
  const states = OBJECT_KINDS.map((kind) => [kind, account ? stateOf(account, kind) : 0])
  return Object.fromEntries(states) as Record<ObjectKind, number>
}

export function objectChanges(
  sql: Sql,
  ask: {
    readonly accountId: AccountId
    readonly kind: ObjectKind
    readonly since: number
    readonly limit: number
  },
): ObjectChanges | undefined {
  const { accountId, kind, since, limit } = ask
  const account = findAccount(sql, accountId, 0)
  if (account === undefined) return since === 0 ? { state: 0, changes: [], more: false } : undefined
  const [state, toldFrom] = row(account, kind) ?? [0, 0]
  // Of a time before a restore, or of before what is told.
  if (since > state || since < toldFrom) return undefined
  const rows = sql.all<[string, number, number, number]>(
    `SELECT id, made_seq > ?3, gone_at IS NOT NULL, seq FROM object
     WHERE aid = ?1 AND kind = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4`,
    account.aid,
    kind,
    since,
    Math.min(limit, Number.MAX_SAFE_INTEGER - 1) + 1,
  )
  const changes = rows
    .slice(0, limit)
    .map(([id, isNew, isGone, seq]) => ({ id, isNew: isNew === 1, isGone: isGone === 1, seq }))
  return { state, changes, more: changes.length < rows.length }
}

/** Throws Refusal `limit`. */
export function keepObject(
  work: AccountWork,
  { object: kind, id, value, entry }: Extract<ObjectChange, { kind: 'keep' }>,
): void {
  const { sql, aid, nowMs } = work
  if (!isThere(work, kind, id)) makeRoom(work, kind)
  const seq = nextSeq(work, kind)
  sql.run(
    `INSERT INTO object (aid, kind, id, made_seq, seq, made_at, entry, value)
     VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)
     ON CONFLICT (aid, kind, id) DO UPDATE SET
       seq = excluded.seq, value = excluded.value, entry = coalesce(excluded.entry, entry),
       made_seq = iif(gone_at IS NULL, made_seq, excluded.made_seq),
       made_at = iif(gone_at IS NULL, made_at, excluded.made_at), gone_at = NULL`,
    aid,
    kind,
    id,
    seq,
    nowMs,
    entry ?? null,
    JSON.stringify(value),
  )
  work.touchedObjects.add(kind)
}

export function forgetObject(
  work: AccountWork,
  { object: kind, id }: Extract<ObjectChange, { kind: 'forget' }>,
): void {
  if (!isThere(work, kind, id)) return
  bury(work, kind, id)
  work.touchedObjects.add(kind)
}

/** What was noted of a mailbox goes with it: its number is never used again. */
export function forgetAnnotations(work: AccountWork, mailboxId: MailboxId): void {
  const prefix = annotationId(mailboxId, '')
  const rows = work.sql.all<[string]>(
    `SELECT id FROM object WHERE aid = ?1 AND kind = 'Annotation' AND gone_at IS NULL
     AND id >= ?2 AND id < ?3`,
    work.aid,
    prefix,
    `${prefix}\u{10ffff}`,
  )
  for (const [id] of rows) forgetObject(work, { kind: 'forget', object: 'Annotation', id })
}

/** Says to readers that the entries of objects wait no more; returns whose. */
export function tellEntriesDone(sql: Sql, entries: readonly string[]): AccountId[] {
  const rows = sql.all<[number, string, string, string]>(
    `SELECT o.aid, o.kind, o.id, a.id FROM json_each(?) e
     CROSS JOIN object o INDEXED BY object_entry ON o.entry = e.value
     JOIN account a ON a.aid = o.aid WHERE o.gone_at IS NULL`,
    JSON.stringify(entries),
  )
  for (const [aid, kind, id] of rows)
    sql.run(
      'UPDATE object SET seq = ? WHERE aid = ? AND kind = ? AND id = ?',
      nextSeq({ sql, aid, nowMs: 0 }, kind as ObjectKind),
      aid,
      kind,
      id,
    )
  return [...new Set(rows.map(([, , , accountId]) => accountId as AccountId))]
}

/** Ends submissions that are old, and forgets what went long ago; false once there is no more. */
export function tidyObjects(sql: Sql, nowMs: number, atOnce: number): boolean {
  const beforeMs = nowMs - OBJECTS_KEPT_MS
  const old = sql.all<[number, string]>(
    `SELECT o.aid, o.id FROM object o INDEXED BY object_made
     WHERE o.kind = 'EmailSubmission' AND o.gone_at IS NULL AND o.made_at < ? AND NOT ${WAITS}
     LIMIT ?`,
    beforeMs,
    atOnce,
  )
  for (const [aid, id] of old) bury({ sql, aid, nowMs }, 'EmailSubmission', id)
  const gone = sql.all<[number, string, string, number]>(
    'SELECT aid, kind, id, seq FROM object WHERE gone_at < ? LIMIT ?',
    beforeMs,
    atOnce,
  )
  for (const [aid, kind, id, seq] of gone) {
    sql.run(
      'UPDATE object_state SET told_from = max(told_from, ?) WHERE aid = ? AND kind = ?',
      seq,
      aid,
      kind,
    )
    sql.run('DELETE FROM object WHERE aid = ? AND kind = ? AND id = ?', aid, kind, id)
  }
  return old.length === atOnce || gone.length === atOnce
}

function makeRoom(work: Place, kind: ObjectKind): void {
  const { sql, aid } = work
  const { max, rotates } = LIMITS[kind]
  const there = 'o.aid = ? AND o.kind = ? AND o.gone_at IS NULL'
  const [count] = sql.get<[number]>(`SELECT count(*) FROM object o WHERE ${there}`, aid, kind)!
  if (count < max) return
  const oldest = rotates
    ? sql.get<[string]>(
        `SELECT o.id FROM object o WHERE ${there} AND NOT ${WAITS} ORDER BY o.made_seq LIMIT 1`,
        aid,
        kind,
      )
    : undefined
  if (oldest === undefined) throw new Refusal('limit', `At most ${max} of these are kept`)
  bury(work, kind, oldest[0])
}

const isThere = ({ sql, aid }: Place, kind: ObjectKind, id: string): boolean =>
  sql.get(
    'SELECT 1 FROM object WHERE aid = ? AND kind = ? AND id = ? AND gone_at IS NULL',
    aid,
    kind,
    id,
  ) !== undefined

/** What stood in it goes at once; that it went is told for a while. */
const bury = (work: Place, kind: ObjectKind, id: string): unknown =>
  work.sql.run(
    `UPDATE object SET seq = ?, gone_at = ?, entry = NULL, value = '{}'
     WHERE aid = ? AND kind = ? AND id = ?`,
    nextSeq(work, kind),
    work.nowMs,
    work.aid,
    kind,
    id,
  )

const row = ({ sql, aid }: Pick<Place, 'sql' | 'aid'>, kind: string) =>
  sql.get<[seq: number, toldFrom: number]>(
    'SELECT seq, told_from FROM object_state WHERE aid = ? AND kind = ?',
    aid,
    kind,
  )

const stateOf = (work: Pick<Place, 'sql' | 'aid'>, kind: ObjectKind): number =>
  row(work, kind)?.[0] ?? 0

/** Only ever grows; by the clock, so that one of before a restore is not given again. */
function nextSeq({ sql, aid, nowMs }: Place, kind: ObjectKind): number {
  const [seq] = sql.get<[number]>(
    `INSERT INTO object_state (aid, kind, seq) VALUES (?1, ?2, max(1, ?3))
     ON CONFLICT (aid, kind) DO UPDATE SET seq = max(seq + 1, ?3) RETURNING seq`,
    aid,
    kind,
    nowMs,
  )!
  return seq
}
