import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { Signer, Signing } from '#engine/sender/signer.ts'
import { HeaderCollector } from './header-collector.ts'

/** A message that is to be signed, as its octets come; small ones and large ones alike. */
export class SignedOctets {
  readonly #signer: Signer
  readonly #domain: string | undefined
  #header: HeaderCollector | undefined = new HeaderCollector()
  #signing: Signing | undefined

  /** `domain`: who answers for it; absent: that of its author. */
  constructor(signer: Signer, domain?: string) {
    this.#signer = signer
    this.#domain = domain
  }

  feed(octets: Octets): void {
    if (this.#header === undefined) return this.#signing?.feed(octets)
    const split = this.#header.feed(octets)
    if (split === undefined) return
    this.#header = undefined
    if (split !== 'tooLarge') this.#begin(split)
  }

  /** The DKIM-Signature fields of all that came; none where no key signs for it. */
  finish(id: string, onFailure?: 'unsigned'): Promise<Octets> {
    if (this.#header !== undefined) this.#begin(this.#header.finish())
    this.#header = undefined
    if (this.#signing === undefined) return Promise.resolve(emptyOctets)
    return this.#signer.sign(this.#signing, { id }, onFailure)
  }

  /** SHA-256 of the body in base64, once it is finished; undefined where no key signs for it. */
  bodyHash(): string | undefined {
    return this.#signing?.bodyHash()
  }

  #begin({ header, rest }: { readonly header: Octets; readonly rest: Octets }): void {
    this.#signing = this.#signer.begin(header, [...headerFields(header)], this.#domain)
    this.#signing?.feed(rest)
  }
}
