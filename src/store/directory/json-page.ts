import type { Octets } from '#base/octets.ts'
import type { Database } from '#store/db/database.ts'

/** Where rows lie, in the order of `place`; `item` is the SQL of one row's JSON. */
export interface JsonSource {
  readonly table: string
  readonly place: string
  readonly item: string
}

/** A page ends after so many octets, though it was asked for more rows: some rows name thousands. */
const PAGE_BYTES_MAX = 2 * 1024 * 1024

/**
 * A page of rows as one array of JSON, put together by SQLite itself: of 400,000 rows none becomes an
 * object here. `last` is the place of the last one; not `isFull`: there are no more.
 */
export function jsonPage(
  db: Database,
  { table, place, item }: JsonSource,
  ask: { readonly after: number; readonly limit: number },
): { readonly json: Octets; readonly last?: number; readonly isFull: boolean } {
  const rows = `FROM ${table} WHERE ${place} > ?1 ORDER BY ${place} LIMIT ?2`
  const size = db.query<{ bytes: number }>(
    `SELECT coalesce(sum(octet_length(json)), 0) AS bytes FROM (SELECT json ${rows})`,
  )
  let { limit } = ask
  for (;;) {
    const { bytes } = size.get(ask.after, limit)!
    if (bytes <= PAGE_BYTES_MAX || limit === 1) break
    limit = Math.max(1, Math.floor((limit * PAGE_BYTES_MAX) / bytes) - 1)
  }
  // The aggregate takes the rows as the inner query, which has a limit, gives them: in its order.
  const { last, count, json } = db
    .query<{ last: number | null; count: number; json: Octets }>(
      `SELECT max(place) AS last, count(*) AS count,
         CAST('[' || coalesce(group_concat(item), '') || ']' AS BLOB) AS json
       FROM (SELECT ${place} AS place, ${item} AS item ${rows})`,
    )
    .get(ask.after, limit)!
  return { json, ...(last !== null && { last }), isFull: count === limit }
}
