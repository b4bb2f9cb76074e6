import type { ApiToken } from '#model/api-token.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import type { ChangeAuthor } from './directory-log.ts'

/** One token made or taken back, as the audit shows it: without its hash. */
export interface ApiTokenChange {
  readonly seq: number
  readonly at: string
  readonly by: ChangeAuthor
  readonly name: string
  readonly before: Omit<ApiToken, 'sha256' | 'lastUse'> | null
  readonly after: Omit<ApiToken, 'sha256' | 'lastUse'> | null
}

/** The truth about tokens, and who has changed what of them. */
export interface ApiTokenShelf {
  tokens(): Promise<{ readonly items: readonly ApiToken[] }>
  /** Null takes it away. Durable when it resolves. */
  putToken(ask: {
    readonly name: string
    readonly token: ApiToken | null
    readonly by: ChangeAuthor
    readonly at: string
  }): Promise<void>
  noteTokenUse(ask: {
    readonly name: string
    readonly at: string
    readonly from: string
  }): Promise<void>
  /** The latest first. */
  tokenHistory(ask: {
    readonly before?: number
    readonly limit: number
  }): Promise<{ readonly items: readonly ApiTokenChange[] }>
}

export const TOKENS_DATABASE: DatabaseKind = {
  kind: 'tokens',
  migrations: [
    `CREATE TABLE token (
       name TEXT PRIMARY KEY, json TEXT NOT NULL, used_at TEXT, used_from TEXT) STRICT, WITHOUT ROWID;
     CREATE TABLE log (
       seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL,
       name TEXT NOT NULL, before TEXT, after TEXT) STRICT;`,
  ],
}

interface TokenRow {
  readonly json: string
  readonly used_at: string | null
  readonly used_from: string | null
}

interface LogRow {
  readonly seq: number
  readonly at: string
  readonly who: string
  readonly source: string
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

/** The tokens in SQLite; opened by a storage process only. */
export class SqliteApiTokens implements ApiTokenShelf {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...TOKENS_DATABASE })
  }

  async tokens(): ReturnType<ApiTokenShelf['tokens']> {
    const rows = this.#db
      .query<TokenRow>('SELECT json, used_at, used_from FROM token ORDER BY name')
      .all()
    return {
      items: rows.map(({ json, used_at: at, used_from: from }) => ({
        ...(JSON.parse(json) as ApiToken),
        ...(at !== null && from !== null && { lastUse: { at, from } }),
      })),
    }
  }

  async putToken({ name, token, by, at }: Parameters<ApiTokenShelf['putToken']>[0]): Promise<void> {
    this.#db.transaction(() => {
      const before = this.#db
        .query<{ json: string }>('SELECT json FROM token WHERE name = ?')
        .get(name)
      this.#db.query('DELETE FROM token WHERE name = ?').run(name)
      if (token !== null)
        this.#db
          .query('INSERT INTO token VALUES (?, ?, NULL, NULL)')
          .run(name, JSON.stringify(token))
      this.#db
        .query('INSERT INTO log (at, who, source, name, before, after) VALUES (?, ?, ?, ?, ?, ?)')
        .run(at, by.who, by.from, name, before?.json ?? null, token && JSON.stringify(token))
    })
  }

  async noteTokenUse(use: Parameters<ApiTokenShelf['noteTokenUse']>[0]): Promise<void> {
    this.#db
      .query('UPDATE token SET used_at = ?, used_from = ? WHERE name = ?')
      .run(use.at, use.from, use.name)
  }

  async tokenHistory(
    ask: Parameters<ApiTokenShelf['tokenHistory']>[0],
  ): ReturnType<ApiTokenShelf['tokenHistory']> {
    const rows = this.#db
      .query<LogRow>('SELECT * FROM log WHERE seq < ? ORDER BY seq DESC LIMIT ?')
      .all(ask.before ?? Number.MAX_SAFE_INTEGER, ask.limit)
    return {
      items: rows.map(({ seq, at, who, source, name, before, after }) => ({
        seq,
        at,
        by: { who, from: source },
        name,
        before: withoutHash(before),
        after: withoutHash(after),
      })),
    }
  }

  close(): void {
    this.#db.close()
  }
}

function withoutHash(json: string | null): ApiTokenChange['before'] {
  if (json === null) return null
  const { sha256: _, ...token } = JSON.parse(json) as ApiToken
  return token
}
