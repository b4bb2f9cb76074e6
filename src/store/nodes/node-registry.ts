import { Fault } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from '#model/event.ts'
import { refusedBeside } from '#model/node.ts'
import type { JoiningRole, NodeBeside, NodePlace } from '#model/node.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'

/** A node as control keeps it. */
export interface RegisteredNode extends NodePlace {
  readonly joinedAtMs: number
}

/** A one-time right to join; the secret itself is known to its holder only. */
export interface JoinRight {
  readonly secretSha256: string
  readonly role: JoiningRole
  readonly name: NodeId
  readonly expiresAtMs: number
}

/** Which nodes belong to this installation, and who may still join. The truth; control's alone. */
export interface NodeRegistry {
  /**
   * A later right for the same name takes the place of an earlier one. Fault `conflict`: the name is
   * joined, or the role has no place beside those that are there. `own`: roles of control's machine.
   */
  issue(right: JoinRight & { readonly own?: readonly NodeBeside[] }): Promise<void>
  /**
   * Uses a right up. The same key may ask again with it, since an answer can be lost. Fault `invalid`
   * where the right is not known, used by another key, or over; `conflict` where the role has no place
   * any more: the right stays unused.
   */
  join(ask: {
    readonly secretSha256: string
    readonly pin: KeyPin
    readonly address: string
    readonly port: number
    readonly nowMs: number
    readonly own?: readonly NodeBeside[]
  }): Promise<{ readonly node: RegisteredNode }>
  nodes(): Promise<{ readonly items: readonly RegisteredNode[] }>
  /** It answers at another place from now on. */
  move(ask: {
    readonly name: string
    readonly address: string
    readonly port: number
  }): Promise<void>
  /** False where no such node has joined. */
  drain(ask: { readonly name: string; readonly draining: boolean }): Promise<{ found: boolean }>
  /** Its key opens nothing any more, nor does a right for its name. */
  remove(ask: { readonly name: string }): Promise<{ found: boolean }>
}

export const NODES_DATABASE: DatabaseKind = {
  kind: 'nodes',
  migrations: [
    `CREATE TABLE node (
       name TEXT PRIMARY KEY, role TEXT NOT NULL, pin TEXT NOT NULL UNIQUE,
       address TEXT NOT NULL, port INTEGER NOT NULL, draining INTEGER NOT NULL,
       joined_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE right (
       name TEXT PRIMARY KEY, secret_sha256 TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
       expires_at_ms INTEGER NOT NULL,
       used_by TEXT                 -- the pin of the key that has used it
     ) STRICT, WITHOUT ROWID;`,
  ],
}

interface NodeRow {
  readonly name: string
  readonly role: string
  readonly pin: string
  readonly address: string
  readonly port: number
  readonly draining: number
  readonly joined_at_ms: number
}

interface RightRow {
  readonly name: string
  readonly role: string
  readonly expires_at_ms: number
  readonly used_by: string | null
}

/** The registry in SQLite; opened by control's storage process only. */
export class SqliteNodeRegistry implements NodeRegistry {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...NODES_DATABASE })
  }

  async issue(right: Parameters<NodeRegistry['issue']>[0]): Promise<void> {
    this.#db.transaction(() => {
      if (this.#node(right.name) !== undefined)
        throw new Fault('conflict', `${right.name} has joined already`)
      this.#seePlace(right, right.own)
      this.#db
        .query('INSERT OR REPLACE INTO right VALUES (?, ?, ?, ?, NULL)')
        .run(right.name, right.secretSha256, right.role, right.expiresAtMs)
    })
  }

  async join(ask: Parameters<NodeRegistry['join']>[0]): ReturnType<NodeRegistry['join']> {
    return this.#db.transaction(() => {
      const right = this.#db
        .query<RightRow>(
          'SELECT name, role, expires_at_ms, used_by FROM right WHERE secret_sha256 = ?',
        )
        .get(ask.secretSha256)
      if (right === undefined || (right.used_by !== null && right.used_by !== ask.pin))
        throw new Fault('invalid', 'the token is not known, or was used already')
      if (right.used_by === null && ask.nowMs >= right.expires_at_ms)
        throw new Fault('invalid', 'the token has expired')
      if (right.used_by === null)
        this.#seePlace({ name: right.name, role: right.role as JoiningRole }, ask.own)
      this.#db.query('UPDATE right SET used_by = ? WHERE name = ?').run(ask.pin, right.name)
      this.#db
        .query(
          `INSERT INTO node VALUES (?, ?, ?, ?, ?, 0, ?)
           ON CONFLICT (name) DO UPDATE SET address = excluded.address, port = excluded.port`,
        )
        .run(right.name, right.role, ask.pin, ask.address, ask.port, ask.nowMs)
      return { node: nodeOf(this.#node(right.name)!) }
    })
  }

  async nodes(): ReturnType<NodeRegistry['nodes']> {
    return { items: this.#db.query<NodeRow>('SELECT * FROM node ORDER BY name').all().map(nodeOf) }
  }

  async move(ask: Parameters<NodeRegistry['move']>[0]): Promise<void> {
    this.#db
      .query('UPDATE node SET address = ?, port = ? WHERE name = ?')
      .run(ask.address, ask.port, ask.name)
  }

  async drain(ask: Parameters<NodeRegistry['drain']>[0]): ReturnType<NodeRegistry['drain']> {
    const changed = this.#db
      .query('UPDATE node SET draining = ? WHERE name = ?')
      .run(ask.draining ? 1 : 0, ask.name)
    return { found: changed > 0 }
  }

  async remove(ask: { readonly name: string }): ReturnType<NodeRegistry['remove']> {
    return this.#db.transaction(() => {
      this.#db.query('DELETE FROM right WHERE name = ?').run(ask.name)
      return { found: this.#db.query('DELETE FROM node WHERE name = ?').run(ask.name) > 0 }
    })
  }

  close(): void {
    this.#db.close()
  }

  #seePlace(
    node: { readonly name: string; readonly role: JoiningRole },
    own: readonly NodeBeside[] = [],
  ): void {
    const joined = this.#db.query<NodeRow>('SELECT * FROM node').all().map(nodeOf)
    const refusal = refusedBeside(node, [...own, ...joined])
    if (refusal !== undefined) throw new Fault('conflict', refusal)
  }

  #node(name: string): NodeRow | undefined {
    return this.#db.query<NodeRow>('SELECT * FROM node WHERE name = ?').get(name)
  }
}

const nodeOf = (row: NodeRow): RegisteredNode => ({
  name: row.name as NodeId,
  role: row.role as JoiningRole,
  pin: row.pin as KeyPin,
  address: row.address,
  port: row.port,
  draining: row.draining !== 0,
  joinedAtMs: row.joined_at_ms,
})
