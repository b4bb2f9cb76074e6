import assert from 'node:assert/strict'
import { createHmac, hash, pbkdf2Sync } from 'node:crypto'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** A client of SCRAM-SHA-256 (RFC 5802) that does, or gets wrong, what a test wants. */
export class ScramClient {
  readonly #password: Octets
  readonly #header: string
  readonly #channel: Octets
  readonly #bare: string
  #signature = ''

  constructor(who: {
    readonly login: string
    /** Text as UTF-8, without SASLprep. */
    readonly password: string | Octets
    readonly header?: string
    readonly channel?: Octets
    readonly nonce?: string
  }) {
    const { login, password } = who
    this.#password = typeof password === 'string' ? fromUtf8(password) : password
    this.#header = who.header ?? 'n,,'
    this.#channel = who.channel ?? new Uint8Array(0)
    const name = login.replaceAll('=', '=3D').replaceAll(',', '=2C')
    this.#bare = `n=${name},r=${who.nonce ?? Math.random().toString(36).slice(2)}`
  }

  first(): string {
    return this.#header + this.#bare
  }

  final(serverFirst: string): string {
    const [, nonce, salt, count] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
    assert.ok(nonce !== undefined && salt !== undefined, serverFirst)
    const salted = pbkdf2Sync(
      this.#password,
      Buffer.from(salt, 'base64'),
      Number(count),
      32,
      'sha256',
    )
    const bound = Buffer.concat([fromUtf8(this.#header), this.#channel]).toString('base64')
    const withoutProof = `c=${bound},r=${nonce}`
    const authMessage = `${this.#bare},${serverFirst},${withoutProof}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(hash('sha256', clientKey, 'buffer'), authMessage)
    const proof = clientKey.map((octet, at) => octet ^ signature[at]!)
    this.#signature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** RFC 5802 §5: the server has proved that it knows the keys too. */
  trusts(serverFinal: string): void {
    assert.equal(serverFinal, `v=${this.#signature}`)
  }
}

const hmac = (key: Octets, text: string): Buffer => createHmac('sha256', key).update(text).digest()
