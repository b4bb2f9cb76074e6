import { createHash } from 'node:crypto'
import type { Log } from '#base/log.ts'
import { Fault, isFault, messageOf, ok } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { postmasterMail } from '#codec/mime/postmaster-mail.ts'
import type { LocalDomain } from '#model/account.ts'
import { domainKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { DKIM_ALGORITHMS } from '#model/dkim-key.ts'
import type { DkimKey } from '#model/dkim-key.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { Settings } from '#store/settings/table.ts'

import {
  activated,
  freeSelector,
  newDkimKey,
  publicationOf,
  publishedUntil,
  seen,
  signedSinceMs,
  withKey,
} from './dkim-keys.ts'
import type { KeysChange, Publication } from './dkim-keys.ts'
import { rotationMail } from './dkim-rotation-mail.ts'
import type { RotationNews } from './dkim-rotation-mail.ts'
import { recordName } from './key-record-of.ts'

export interface RotationParts {
  readonly directory: Pick<DirectoryMaster, 'directory' | 'update'>
  readonly settings: () => Pick<Settings, 'dkim.rotateMs' | 'dkim.announceMs' | 'queue.lifetimeMs'>
  /** TXT records of a name; empty: there are none; undefined: nobody could tell. */
  readonly texts: (name: string) => Promise<readonly string[] | undefined>
  /** Durable when it resolves; the same id twice is one message. Throws a Fault where nobody takes it. */
  readonly send: (mail: {
    readonly id: string
    readonly to: Address
    readonly octets: Octets
  }) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

const AUTHOR = { who: 'watari', from: 'dkim rotation' }
/** Said so often of a record that should be there and is not. */
const REMIND_MS = 7 * DAY_MS

/**
 * Rotates keys by a schedule (`dkim.rotateMs`). The name service is not ours: the next key is made and
 * told to the postmaster, signs once its record has been seen there for a while, and the one before
 * it retires. Until then the old one goes on: a record that never comes stops no mail.
 */
export class DkimRotation {
  readonly #parts: RotationParts

  constructor(parts: RotationParts) {
    this.#parts = parts
  }

  /** One look at all domains; trouble with one is told and keeps no other waiting. */
  async run(isClosed: () => boolean = () => false): Promise<void> {
    const { directory, settings, log } = this.#parts
    if (settings()['dkim.rotateMs'] === 0) return
    for (const domain of directory.directory.domains()) {
      if (isClosed()) return
      try {
        if (domain.dkim?.some(({ state }) => state === 'signing')) await this.#turn(domain)
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        log.warn('dkim.rotationWaits', { domain: domain.name, cause: messageOf(thrown) })
      }
    }
  }

  async #turn(domain: LocalDomain): Promise<void> {
    await this.#forget(domain)
    for (const algorithm of DKIM_ALGORITHMS) {
      const keys = this.#keysOf(domain.name)
      const signing = keys.find((key) => key.state === 'signing' && key.algorithm === algorithm)
      if (signing === undefined) continue
      const next = keys.find((key) => isWaiting(key) && key.algorithm === algorithm)
      if (next !== undefined) await this.#follow(domain.name, signing, next)
      else if (this.#leftMs(signing) <= this.#parts.settings()['dkim.announceMs'])
        await this.#propose(domain.name, signing)
    }
  }

  /** Until the key has signed for as long as it is to. */
  #leftMs(key: DkimKey): number {
    const { settings, clock } = this.#parts
    return signedSinceMs(key) + settings()['dkim.rotateMs'] - clock.nowMs()
  }

  async #propose(domain: string, { algorithm }: DkimKey): Promise<void> {
    const at = this.#at()
    const made = await newDkimKey(algorithm, { selector: '', at })
    let selector = ''
    await this.#change(domain, (keys) => {
      // Somebody may have made one by hand meanwhile.
      if (keys.some((key) => isWaiting(key) && key.algorithm === algorithm)) return ok(keys)
      selector = freeSelector(keys, algorithm, at)
      return withKey(keys, { ...made, selector })
    })
    const key = this.#keysOf(domain).find((each) => each.selector === selector)
    if (key === undefined) return
    this.#parts.log.info('dkim.proposed', { domain, selector })
    await this.#tell(domain, key, 'publish')
  }

  async #follow(domain: string, signing: DkimKey, next: DkimKey): Promise<void> {
    const found = publicationOf(next, await this.#parts.texts(recordName(domain, next.selector)))
    if (found === 'unknown') return // the next look
    if (found !== 'published') return this.#miss(domain, { signing, next, found })
    const isDue = this.#leftMs(signing) <= 0
    // Seen by an earlier look already: what others have remembered of its absence is over.
    if (!isDue || next.state !== 'published')
      return this.#change(domain, (keys) => ok(seen(keys, [next.selector], this.#at())))
    const { settings, clock, log } = this.#parts
    const now = publishedUntil(clock.nowMs(), settings()['queue.lifetimeMs'])
    await this.#change(domain, (keys) =>
      activated(seen(keys, [next.selector], now.at), [next.selector], now),
    )
    log.info('dkim.rotated', { domain, selector: next.selector, retired: signing.selector })
    await this.#send(domain, { kind: 'rotated', key: next, retired: signing, until: now.until })
  }

  /** Its record is not there: said when it was made, and again where the time has come. */
  async #miss(
    domain: string,
    {
      signing,
      next,
      found,
    }: { readonly signing: DkimKey; readonly next: DkimKey; readonly found: Publication },
  ): Promise<void> {
    const { clock, log } = this.#parts
    if (next.toldAt === undefined) return this.#tell(domain, next, 'publish')
    if (this.#leftMs(signing) > 0) return
    log.warn('dkim.unpublished', { domain, selector: next.selector, found })
    if (clock.nowMs() - Date.parse(next.toldAt) >= REMIND_MS)
      await this.#tell(domain, next, 'missing')
  }

  /** Sent first: whoever dies before it is written down sends it again under its id, which queues know. */
  async #tell(domain: string, key: DkimKey, kind: 'publish' | 'missing'): Promise<void> {
    await this.#send(domain, { kind, key })
    const toldAt = this.#at()
    await this.#change(domain, (keys) =>
      ok(keys.map((each) => (each.selector === key.selector ? { ...each, toldAt } : each))),
    )
  }

  #send(domain: string, news: RotationNews): Promise<void> {
    const name = `dkim ${domain} ${news.key.selector} ${news.kind} ${news.key.toldAt ?? ''}`
    const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
    const to: Address = { localpart: 'postmaster', domain }
    const { subject, text } = rotationMail(domain, news)
    const octets = postmasterMail({ to, subject, text, id, nowMs: this.#parts.clock.nowMs() })
    return this.#parts.send({ id: `dkim-${id}`, to, octets })
  }

  /** Retired keys whose record nobody needs any more. */
  async #forget({ name, dkim = [] }: LocalDomain): Promise<void> {
    const at = this.#at()
    const isOver = ({ state, publishUntil }: DkimKey): boolean =>
      state === 'retired' && (publishUntil ?? '') <= at
    if (dkim.some(isOver))
      await this.#change(name, (keys) => ok(keys.filter((key) => !isOver(key))))
  }

  async #change(domain: string, make: (keys: readonly DkimKey[]) => KeysChange): Promise<void> {
    const changed = await this.#parts.directory.update((now) => {
      const row = now.domain(domain)
      if (row === undefined) return ok([])
      const keys = make(row.dkim ?? [])
      if (!keys.ok) return keys
      if (keys.value === row.dkim) return ok([])
      return ok([{ kind: 'put', row: { kind: 'domain', domain: { ...row, dkim: keys.value } } }])
    }, AUTHOR)
    if (!changed.ok) throw new Fault('conflict', changed.error.message)
  }

  #keysOf(domain: string): readonly DkimKey[] {
    return this.#parts.directory.directory.domain(domainKey(domain))?.dkim ?? []
  }

  #at(): string {
    return new Date(this.#parts.clock.nowMs()).toISOString()
  }
}

const isWaiting = ({ state }: DkimKey): boolean => state === 'made' || state === 'published'
