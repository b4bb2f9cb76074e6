import { createHash, createPrivateKey, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { domainToASCII } from 'node:url'
import { emptyOctets, fromLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { RelaxedBody } from '#codec/dkim/relaxed-body.ts'
import { relaxedField, signatureField, signedField } from '#codec/dkim/signature.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import type { DkimKey } from '#model/dkim-key.ts'
import type { EventSink } from '#model/event.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Settings } from '#store/settings/table.ts'

import { RelaxedHeader } from './signed-header.ts'
import type { SignedHeader } from './signed-header.ts'

export interface SignerOptions {
  readonly directory: Pick<Directory, 'domain' | 'seq'>
  readonly settings: () => Pick<Settings, 'dkim.expiryMs' | 'dkim.onFailure'>
  readonly clock: Clock
  readonly events: EventSink
}

/** One that signs, with what it says of itself. */
interface SigningKey {
  readonly domain: string
  readonly key: DkimKey
}

const signAsync = promisify(sign) as (
  digest: 'sha256' | null,
  octets: Octets,
  key: KeyObject,
) => Promise<Buffer>

/** Signs what leaves with the keys of its domain (RFC 6376): the hash as the octets pass, the rest in the thread pool. */
export class Signer {
  readonly #options: SignerOptions
  /** Keys as they are worked with, by the rows that they stand in. */
  readonly #opened = new WeakMap<DkimKey, KeyObject>()

  constructor(options: SignerOptions) {
    this.#options = options
  }

  /**
   * One message of which the header is there, `blank line` included or not. `domain`: who answers for
   * it; absent: that of its author. Undefined where no key signs for that.
   */
  begin(header: Octets, fields: readonly HeaderField[], domain?: string): Signing | undefined {
    const signs = domain ?? authorDomain(fields)
    const keys = this.#keysOf(signs)
    if (signs === undefined || keys.length === 0) return undefined
    return new Signing(new RelaxedHeader(header), { domain: signs, keys })
  }

  /**
   * A copy of a message that was signed before, with fields of its own: its body is known by its
   * hash. That its domain has no key any more is a failure of `sign`, since it was signed when it came.
   */
  resume(
    header: RelaxedHeader,
    { domain, bodyHash }: { readonly domain: string; readonly bodyHash: string },
  ): Signing {
    return new Signing(header, { domain, bodyHash, keys: this.#keysOf(domain) })
  }

  /**
   * The DKIM-Signature fields, to stand in front of `added` and the message. Where it cannot be signed,
   * that is told, and `dkim.onFailure` decides: Fault `unavailable`, or no field. `id` names it in events.
   */
  async sign(
    signing: Signing | undefined,
    { id, added = emptyOctets }: { readonly id: string; readonly added?: Octets },
    onFailure = this.#options.settings()['dkim.onFailure'],
  ): Promise<Octets> {
    if (signing === undefined) return emptyOctets
    const tell = (outcome: 'unsigned' | 'deferred', reason: string): void => {
      const { clock, events } = this.#options
      const { domain, selectors } = signing
      const fields = { domain, selectors, outcome, reason }
      events.emit({ atMs: clock.nowMs(), name: 'dkim.failed', deliveryId: id, fields })
    }
    const header = signing.headerOf(added)
    if (header === undefined) {
      tell('unsigned', 'a field of its header has a CR or LF alone') // it will not be better later
      return emptyOctets
    }
    try {
      return await this.#signed(signing, header)
    } catch (thrown) {
      tell(onFailure === 'unsigned' ? 'unsigned' : 'deferred', messageOf(thrown))
      if (onFailure === 'unsigned') return emptyOctets
      throw new Fault('unavailable', 'the message cannot be signed now', { cause: thrown })
    }
  }

  async #signed(signing: Signing, header: SignedHeader): Promise<Octets> {
    const nowMs = this.#options.clock.nowMs()
    const expiryMs = this.#options.settings()['dkim.expiryMs']
    const { names, lines } = header
    if (signing.keys.length === 0) throw new Error('its domain has no key that signs')
    const bodyHash = signing.bodyHash()
    const made = signing.keys.map(async ({ domain, key }) => {
      const field = signatureField({
        algorithm: key.algorithm === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256',
        domain,
        selector: key.selector,
        signedAtS: Math.floor(nowMs / SECOND_MS),
        ...(expiryMs > 0 && { expiresAtS: Math.floor((nowMs + expiryMs) / SECOND_MS) }),
        fields: names,
        bodyHash,
      })
      const text = fromLatin1([...lines, relaxedField(field)].join('\r\n'))
      const opened = this.#open(key)
      // RFC 8463 §3: Ed25519 signs the hash.
      const signature =
        key.algorithm === 'rsa'
          ? await signAsync('sha256', text, opened)
          : await signAsync(null, createHash('sha256').update(text).digest(), opened)
      return signedField(field, signature.toString('base64'))
    })
    return fromLatin1((await Promise.all(made)).join(''))
  }

  #open(key: DkimKey): KeyObject {
    let opened = this.#opened.get(key)
    if (opened === undefined) {
      if (key.privateKey === undefined) throw new Error(`the key ${key.selector} is not there`)
      opened = createPrivateKey({
        key: Buffer.from(key.privateKey, 'base64'),
        format: 'der',
        type: 'pkcs8',
      })
      this.#opened.set(key, opened)
    }
    return opened
  }

  /** Of the domain, or of the nearest above it that has some: DMARC aligns by the organisation (RFC 9989 §4.4). */
  #keysOf(domain: string | undefined): readonly SigningKey[] {
    const { directory } = this.#options
    for (let name = domain ?? ''; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
      const row = directory.domain(name)
      const keys = row?.dkim?.filter(({ state }) => state === 'signing') ?? []
      // RFC 8616 §4: every checker knows A-labels.
      const ascii = row && domainToASCII(row.name)
      if (keys.length > 0 && ascii) return keys.map((key) => ({ domain: ascii, key }))
    }
    return []
  }
}

/** One message on its way to its signatures. */
export class Signing {
  readonly keys: readonly SigningKey[]
  readonly domain: string
  readonly #header: RelaxedHeader
  readonly #hash = createHash('sha256')
  readonly #body = new RelaxedBody((octets) => this.#hash.update(octets))
  #bodyHash: string | undefined

  /** `bodyHash`: known already, so that no body is fed. */
  constructor(
    header: RelaxedHeader,
    by: {
      readonly domain: string
      readonly keys: readonly SigningKey[]
      readonly bodyHash?: string
    },
  ) {
    this.#header = header
    this.keys = by.keys
    this.domain = by.keys[0]?.domain ?? by.domain
    this.#bodyHash = by.bodyHash
  }

  /** Octets of its body, in order. */
  feed(octets: Octets): void {
    this.#body.feed(octets)
  }

  /** SHA-256 in base64; no octets may be fed after it. */
  bodyHash(): string {
    if (this.#bodyHash === undefined) {
      this.#body.finish()
      this.#bodyHash = this.#hash.digest('base64')
    }
    return this.#bodyHash
  }

  get selectors(): string {
    return this.keys.map(({ key }) => key.selector).join(',')
  }

  /** What is signed of the header, `added` in front of it; undefined where it cannot be signed. */
  headerOf(added: Octets): SignedHeader | undefined {
    return this.#header.under(added)
  }
}

/** The domain of whom the message says it is from; undefined where it does not say so of one field. */
function authorDomain(fields: readonly HeaderField[]): string | undefined {
  const from = fields.filter(({ key }) => key === 'from')
  if (from.length !== 1) return undefined
  return parseAddressList(toUtf8(fromLatin1(from[0]!.value))).find(({ host }) => host !== undefined)
    ?.host
}
