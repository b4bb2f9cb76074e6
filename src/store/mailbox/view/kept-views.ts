import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { ViewRows } from './view-rows.ts'

/*
 * A kept view, in the machine's own order of octets:
 *
 *   "WATARIV1" | rows u32 | 0 u32 | columns of 8 octets a row, in this order, then those of 4
 *
 * Nothing is promised by it: what the database does not vouch for, by MODSEQ and CRC-32 of the file,
 * is as good as not there.
 */
const MAGIC = Buffer.from('WATARIV1')
const HEAD_BYTES = 16
const WIDE = ['modSeqs', 'sizes', 'internalDatesMs', 'savedAtMs', 'eids'] as const
const NARROW = ['uids', 'flags'] as const
const ROW_BYTES = 8 * WIDE.length + 4 * NARROW.length

/** Fewer rows cost less read from the database. */
export const KEPT_ROWS_MIN = 4_096

export interface KeptView {
  /** All that changed up to here is in it. */
  readonly modSeq: number
  readonly rows: ViewRows
}

interface Place {
  readonly aid: number
  readonly mid: number
}

/**
 * Views of large mailboxes as they were some time ago, one file each: the first who opens such a
 * mailbox after a start waits for one read and for what changed since, not for a row a message.
 * A cache: whatever is wrong with a file or its disk, the rows themselves are read.
 */
export class KeptViews {
  readonly #sql: Sql
  readonly #dir: string
  /** Writes of one mailbox do not meet. */
  readonly #writing = new Map<string, Promise<void>>()

  /** Forgets what belongs to no mailbox, and files that nothing vouches for. */
  constructor(sql: Sql, dir: string) {
    this.#sql = sql
    this.#dir = dir
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    sql.run(`DELETE FROM kept_view WHERE NOT EXISTS
      (SELECT 1 FROM mailbox m WHERE m.aid = kept_view.aid AND m.mid = kept_view.mid)`)
    const known = new Set(
      sql
        .all<[number, number]>('SELECT aid, mid FROM kept_view')
        .map(([aid, mid]) => `${aid}-${mid}`),
    )
    for (const name of readdirSync(dir))
      if (!known.has(name)) rmSync(join(dir, name), { recursive: true, force: true })
  }

  /** The mailbox's kept view; undefined where there is none that can be trusted. */
  async read({ aid, mid }: Place): Promise<KeptView | undefined> {
    const vouched = this.#sql.get<[modSeq: number, crc: number]>(
      'SELECT modseq, crc FROM kept_view WHERE aid = ? AND mid = ?',
      aid,
      mid,
    )
    if (vouched === undefined) return undefined
    try {
      const octets = await readFile(this.#path({ aid, mid }))
      const [modSeq, crc] = vouched
      const rows = crc32(octets) === crc ? rowsFrom(octets) : undefined
      return rows && { modSeq, rows }
    } catch {
      return undefined
    }
  }

  /** Writes the view in place of an older one, by and by; `vouch` commits what the database says of it. */
  keep(place: Place, view: KeptView, vouch: (apply: () => void) => Promise<void>): void {
    const path = this.#path(place)
    if (this.#writing.has(path)) return
    const parts = octetsOf(view.rows)
    let crc = 0
    for (const part of parts) crc = crc32(part, crc)
    const writing = this.#write(place, { modSeq: view.modSeq, parts, crc }, vouch)
    this.#writing.set(
      path,
      writing.finally(() => this.#writing.delete(path)),
    )
  }

  async #write(
    place: Place,
    view: { readonly modSeq: number; readonly parts: readonly Buffer[]; readonly crc: number },
    vouch: (apply: () => void) => Promise<void>,
  ): Promise<void> {
    const path = this.#path(place)
    try {
      await writeWhole(`${path}.new`, view.parts)
      await rename(`${path}.new`, path)
      await vouch(() => {
        this.#sql.run(
          'INSERT OR REPLACE INTO kept_view (aid, mid, modseq, crc) VALUES (?, ?, ?, ?)',
          place.aid,
          place.mid,
          view.modSeq,
          view.crc,
        )
      })
    } catch {
      // The next reader takes the rows, and tries again.
      await rm(`${path}.new`, { force: true }).catch(() => undefined)
    }
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await Promise.all(this.#writing.values())
  }

  #path = ({ aid, mid }: Place): string => join(this.#dir, `${aid}-${mid}`)
}

function octetsOf(rows: ViewRows): Buffer[] {
  const head = Buffer.alloc(HEAD_BYTES)
  MAGIC.copy(head)
  head.writeUInt32LE(rows.uids.length, MAGIC.length)
  const columns = [...WIDE, ...NARROW].map((name) => {
    const { buffer, byteOffset, byteLength } = rows[name]
    return Buffer.from(buffer, byteOffset, byteLength)
  })
  return [head, ...columns]
}

async function writeWhole(path: string, parts: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    for (const part of parts) await file.writeFile(part)
  } finally {
    await file.close()
  }
}

/** The columns as views of the file's octets; undefined where it is not whole. */
function rowsFrom(octets: Buffer): ViewRows | undefined {
  if (octets.length < HEAD_BYTES || !octets.subarray(0, MAGIC.length).equals(MAGIC))
    return undefined
  const count = octets.readUInt32LE(MAGIC.length)
  if (octets.length !== HEAD_BYTES + count * ROW_BYTES) return undefined
  // Numbers must stand at multiples of their size; what is read whole mostly does.
  const aligned = octets.byteOffset % 8 === 0 ? octets : new Uint8Array(octets)
  let at = aligned.byteOffset + HEAD_BYTES
  const wide = (): Float64Array => {
    const column = new Float64Array(aligned.buffer as ArrayBuffer, at, count)
    at += 8 * count
    return column
  }
  const narrow = (): Uint32Array => {
    const column = new Uint32Array(aligned.buffer as ArrayBuffer, at, count)
    at += 4 * count
    return column
  }
  return {
    modSeqs: wide(),
    sizes: wide(),
    internalDatesMs: wide(),
    savedAtMs: wide(),
    eids: wide(),
    uids: narrow(),
    flags: narrow(),
  }
}
