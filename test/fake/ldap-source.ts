import { toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { SearchAsk } from '#codec/ldap/message.ts'

/** The one server of a source that names whom a test wants, for any filter. */
export class FakeSource {
  readonly asks: SearchAsk[] = []
  /** User names. */
  named: readonly string[] = []
  /** Nobody answers. */
  fault: Fault | undefined
  /** A filter that holds this text is refused; one that holds the other names nobody. */
  refused: string | undefined
  empty: string | undefined

  async inTurn<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    if (this.fault !== undefined) throw this.fault
    return work(this.#connection as unknown as LdapConnection)
  }

  close(): void {}

  readonly #connection = {
    server: { host: 'ldap.example', port: 389, tls: 'none' },
    close: () => undefined,
    answersAs: (_: unknown, request: SearchAsk) => this.#answers(request),
  }

  async *#answers(ask: SearchAsk): AsyncGenerator<readonly unknown[]> {
    this.asks.push(ask)
    const text = textOf(ask.filter)
    if (this.refused !== undefined && text.includes(this.refused))
      throw new Fault('invalid', 'the filter means nothing here')
    const isEmpty = this.empty !== undefined && text.includes(this.empty)
    const entries = (isEmpty ? [] : this.named).map((uid) => ({
      response: {
        op: 'entry',
        entry: { dn: `uid=${uid}`, texts: new Map([['uid', [uid]]]), octets: new Map() },
      },
      controls: [],
    }))
    const result = { code: 0, matchedDn: '', message: '', referrals: [] }
    yield [...entries, { response: { op: 'result', result }, controls: [] }]
  }
}

/** Its values as text. */
const textOf = (filter: Filter): string =>
  JSON.stringify(filter, function (this: Readonly<Record<string, unknown>>, key, value: unknown) {
    const octets = this[key] // a Buffer has become something else by now
    return octets instanceof Uint8Array ? toUtf8(octets) : value
  })
