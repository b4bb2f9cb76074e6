import type { Sql } from './sql.ts'

/** Numbers of all large files that a row names. */
export const namedFiles = (sql: Sql): Set<number> =>
  new Set(
    sql
      .all<[number]>(
        `SELECT file FROM email WHERE kind = 1
         UNION SELECT meta_file FROM email WHERE meta_kind = 1
         UNION SELECT file FROM outbox WHERE kind = 1
         UNION SELECT file FROM upload`,
      )
      .map(([file]) => file),
  )

/** True where a row names the large file, as a message's octets, its meta, an outbox entry or an upload. */
export const isNamed = (sql: Sql, file: number): boolean =>
  sql.get(
    `SELECT 1 FROM email WHERE kind = 1 AND file = ?1
     UNION ALL SELECT 1 FROM email WHERE meta_kind = 1 AND meta_file = ?1
     UNION ALL SELECT 1 FROM outbox WHERE kind = 1 AND file = ?1
     UNION ALL SELECT 1 FROM upload WHERE file = ?1
     LIMIT 1`,
    file,
  ) !== undefined

/** True where a row names a record of the segment as it came, not in a block. */
export const namesRaw = (sql: Sql, file: number): boolean =>
  sql.get(
    `SELECT 1 FROM email WHERE kind = 0 AND file = ?1
     UNION ALL SELECT 1 FROM email WHERE meta_kind = 0 AND meta_file = ?1
     LIMIT 1`,
    file,
  ) !== undefined

/** The next file above one, by an index that has many rows a file: a walk over files, not rows. */
const filesWalk = (
  column: 'file' | 'meta_file',
  kind: 'kind' | 'meta_kind',
  value: 0 | 2,
): string =>
  `WITH RECURSIVE walk (file) AS (
     SELECT min(${column}) FROM email WHERE ${kind} = ${value}
     UNION ALL
     SELECT (SELECT min(${column}) FROM email WHERE ${kind} = ${value} AND ${column} > walk.file)
     FROM walk WHERE walk.file IS NOT NULL
   ) SELECT file FROM walk WHERE file IS NOT NULL`

/** Numbers of all segments in which a row names a record. */
export const namedSegments = (sql: Sql): Set<number> =>
  new Set(
    [
      ...sql.all<[number]>(filesWalk('file', 'kind', 0)),
      ...sql.all<[number]>(filesWalk('file', 'kind', 2)),
      ...sql.all<[number]>(filesWalk('meta_file', 'meta_kind', 0)),
      ...sql.all<[number]>(filesWalk('meta_file', 'meta_kind', 2)),
      ...sql.all<[number]>('SELECT DISTINCT file FROM outbox WHERE kind = 0'),
    ].map(([file]) => file),
  )
