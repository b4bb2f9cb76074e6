import { Fault, err, isFault, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { Connection } from './connection.ts'
import type { DeliverJob, Delivered } from './job.ts'
import { transact } from './transaction.ts'
import type { Ended } from './transaction.ts'

const IDLE_MS_MAX = 10 * SECOND_MS
const TRANSACTIONS_MAX = 100
const IDLE_PER_KEY_MAX = 20
const ENDPOINTS_MAX = 10

interface Idle {
  readonly connection: Connection
  readonly cancel: () => void
}

/** The outgoing mail connections of a process: SMTP and LMTP, kept for a moment for the next job. */
export class MailClient {
  readonly #clock: Clock
  readonly #idle = new Map<string, Idle[]>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Delivers to the first endpoint that lets us in. An error: none did, and nobody has seen the
   * message. Otherwise each recipient has a reply; where the connection broke amid it, a 4xx of our own.
   * Throws what reading the content throws.
   */
  async deliver(job: DeliverJob): Promise<Outcome<Delivered, Fault>> {
    for (;;) {
      const kept = this.#take(job.poolKey)
      if (kept === undefined) break
      const ended = await this.#transact(kept, job)
      // Closed while it lay idle, and nothing was said: as if it had never been there.
      if (ended.fault === undefined || ended.answered) return ok(deliveredOf(kept, ended))
    }
    let last = new Fault('unreachable', 'no address to connect to')
    for (const endpoint of job.endpoints.slice(0, ENDPOINTS_MAX)) {
      let connection: Connection
      try {
        connection = await Connection.open(endpoint, job, this.#clock)
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        last = thrown
        continue
      }
      return ok(deliveredOf(connection, await this.#transact(connection, job)))
    }
    return err(last)
  }

  /** Ends idle connections and those that become idle from now on. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#idle.values()].flat()
    this.#idle.clear()
    for (const { cancel } of all) cancel()
    await Promise.all(all.map(({ connection }) => connection.quit()))
  }

  async #transact(connection: Connection, job: DeliverJob): Promise<Ended> {
    connection.served++
    let ended: Ended
    try {
      ended = await transact(connection, job, this.#clock)
    } catch (thrown) {
      connection.destroy()
      throw thrown
    }
    if (!ended.reusable) connection.destroy()
    else if (this.#closed || connection.served >= TRANSACTIONS_MAX) await connection.quit()
    else this.#keep(job.poolKey, connection)
    return ended
  }

  #take(key: string): Connection | undefined {
    const idle = this.#idle.get(key)
    for (let entry = idle?.pop(); entry !== undefined; entry = idle?.pop()) {
      entry.cancel()
      if (entry.connection.idle) return entry.connection
      entry.connection.destroy()
    }
    this.#idle.delete(key)
    return undefined
  }

  #keep(key: string, connection: Connection): void {
    const idle = this.#idle.get(key) ?? []
    this.#idle.set(key, idle)
    const entry: Idle = {
      connection,
      cancel: this.#clock.after(IDLE_MS_MAX, () => {
        idle.splice(idle.indexOf(entry), 1)
        if (idle.length === 0 && this.#idle.get(key) === idle) this.#idle.delete(key)
        void connection.quit()
      }),
    }
    idle.push(entry)
    if (idle.length <= IDLE_PER_KEY_MAX) return
    const oldest = idle.shift()
    oldest?.cancel()
    if (oldest !== undefined) void oldest.connection.quit()
  }
}

const deliveredOf = (connection: Connection, ended: Ended): Delivered => ({
  results: ended.results,
  peer: connection.peer,
  relayedDsn: ended.relayedDsn,
  relayedBy: ended.relayedBy,
  tls: connection.secure,
})
