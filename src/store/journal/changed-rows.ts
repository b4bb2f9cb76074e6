import type { Database, SqlInput } from '#store/db/database.ts'
import type { JournalRow, RowsByTable, TableRows } from './journal-record.ts'

/** A table that is followed. */
interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: readonly string[]
  readonly changed: string
  readonly forget: string
  readonly first: string
  readonly next: string
}

/** Bits of a number that JavaScript's operators keep apart. */
const TABLES_MAX = 31

/** A place in a walk over all rows of all tables. */
export interface RowsCursor {
  readonly table: number
  /** The key of the last row that was read; absent at the table's begin. */
  readonly after?: JournalRow
}

/**
 * Which rows a transaction has changed. Triggers note their keys in tables of this connection's own
 * memory, so that what is rolled back, be it a statement, a savepoint or the whole, is forgotten with it.
 */
export class ChangedRows {
  readonly #db: Database
  readonly #tables: readonly Table[]
  /** Asks at once which tables have changed, a bit for each. */
  readonly #which: string

  /** Follows all tables but `except`; each has a primary key. */
  constructor(db: Database, except: ReadonlySet<string>) {
    this.#db = db
    this.#tables = db
      .query<{ name: string }>(
        `SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid`,
      )
      .all()
      .filter(({ name }) => !except.has(name))
      .map(({ name }) => tableOf(db, name))
    if (this.#tables.length > TABLES_MAX) throw new RangeError('too many tables for one mask')
    for (const table of this.#tables) follow(db, table)
    const bits = this.#tables.map(
      ({ name }, bit) => `(EXISTS (SELECT 1 FROM temp.changed_${name}) << ${bit})`,
    )
    this.#which = `SELECT ${bits.join(' | ')}`
  }

  get columns(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.#tables.map(({ name, columns }) => [name, columns]))
  }

  /** What the transaction has changed so far, as it stands now; undefined where that is nothing. */
  take(): RowsByTable | undefined {
    const [which] = this.#db.arrays<[number]>(this.#which).get() ?? [0]
    if (which === 0) return undefined
    const rows: Record<string, TableRows> = {}
    this.#tables.forEach((table, bit) => {
      if ((which & (1 << bit)) === 0) return
      rows[table.name] = parted(table, this.#db.arrays<JournalRow>(table.changed).all())
      this.#db.query(table.forget).run()
    })
    return rows
  }

  /** Some rows of a walk over all, and where it goes on; `next` is absent at the end. */
  read(
    from: RowsCursor,
    limit: number,
  ): { readonly rows: RowsByTable; readonly count: number; readonly next?: RowsCursor } {
    const table = this.#tables[from.table]
    if (table === undefined) return { rows: {}, count: 0 }
    const put =
      from.after === undefined
        ? this.#db.arrays<JournalRow>(table.first).all(limit)
        : this.#db.arrays<JournalRow>(table.next).all(...(from.after as SqlInput[]), limit)
    const last = put.at(-1)
    const next: RowsCursor =
      last === undefined || put.length < limit
        ? { table: from.table + 1 }
        : { table: from.table, after: keyOf(table, last) }
    return {
      rows: put.length === 0 ? {} : { [table.name]: { put, drop: [] } },
      count: put.length,
      ...(next.table < this.#tables.length && { next }),
    }
  }
}

const keyOf = (table: Table, row: JournalRow): JournalRow =>
  table.key.map((name) => row[table.columns.indexOf(name)]!)

/** Columns of a key come first, then those of the row, all null where there is none any more. */
function parted({ key, columns }: Table, found: readonly JournalRow[]): TableRows {
  const put: JournalRow[] = []
  const drop: JournalRow[] = []
  const keyAt = key.length + columns.indexOf(key[0]!)
  for (const row of found)
    if (row[keyAt] === null) drop.push(row.slice(0, key.length))
    else put.push(row.slice(key.length))
  return { put, drop }
}

function tableOf(db: Database, name: string): Table {
  const info = db.query<{ name: string; pk: number }>(`PRAGMA main.table_info(${name})`).all()
  const columns = info.map((column) => column.name)
  const key = info
    .filter(({ pk }) => pk > 0)
    .toSorted((a, b) => a.pk - b.pk)
    .map((column) => column.name)
  if (key.length === 0) throw new Error(`table ${name} has no primary key to follow it by`)
  const list = columns.join(', ')
  return {
    name,
    columns,
    key,
    changed: `SELECT ${[...key.map((each) => `d.${each}`), ...columns.map((each) => `t.${each}`)].join(', ')}
      FROM (SELECT DISTINCT * FROM temp.changed_${name}) d LEFT JOIN main.${name} t
      ON ${key.map((each) => `t.${each} = d.${each}`).join(' AND ')}`,
    forget: `DELETE FROM temp.changed_${name}`,
    first: `SELECT ${list} FROM main.${name} ORDER BY ${key.join(', ')} LIMIT ?`,
    next: `SELECT ${list} FROM main.${name} WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})
      ORDER BY ${key.join(', ')} LIMIT ?`,
  }
}

function follow(db: Database, { name, key }: Table): void {
  // Without a key of their own: what to do about a second note of a row is the outer statement's to say.
  const note = (row: 'NEW' | 'OLD'): string =>
    `INSERT INTO changed_${name} VALUES (${key.map((each) => `${row}.${each}`).join(', ')});`
  const moved = key.map((each) => `OLD.${each} IS NOT NEW.${each}`).join(' OR ')
  db.exec(`
    CREATE TEMP TABLE changed_${name} (${key.join(', ')});
    CREATE TEMP TRIGGER put_${name} AFTER INSERT ON main.${name} BEGIN ${note('NEW')} END;
    CREATE TEMP TRIGGER set_${name} AFTER UPDATE ON main.${name} BEGIN ${note('NEW')} END;
    CREATE TEMP TRIGGER moved_${name} AFTER UPDATE OF ${key.join(', ')} ON main.${name} WHEN ${moved}
      BEGIN ${note('OLD')} END;
    CREATE TEMP TRIGGER drop_${name} AFTER DELETE ON main.${name} BEGIN ${note('OLD')} END;
  `)
}
