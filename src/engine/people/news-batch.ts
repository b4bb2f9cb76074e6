import type { Clock } from '#base/time.ts'
import { newerCsns } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import { noNews } from './source-copy.ts'
import type { SourceNews } from './source-copy.ts'

/** What comes within this time is taken together. */
const GATHER_MS = 20
/** As many wait at most while those before them are taken. */
const GATHERED_MAX = 5_000

/** Takes what a server that has come so far has told. Held: it is not taken. Never rejects. */
export type TakeNews = (
  news: SourceNews,
  from: {
    readonly csns: CsnVector
    /** All that there is to say, and not only what has come since. */
    readonly isRefresh: boolean
    /** What this server, and no other, understands as the state that is come to with these news. */
    readonly cookie?: { readonly host: string; readonly octets: Uint8Array }
  },
) => Promise<'taken' | 'held'>

/** News of one connection: the refresh at its beginning as one, and what comes then in small batches. */
export class NewsBatch {
  news: SourceNews = noNews()
  #csns: CsnVector
  readonly #clock: Clock
  readonly #take: TakeNews
  readonly #held: () => void
  readonly #host: string
  #cookie: Uint8Array | undefined
  #isFresh = false
  #isHeld = false
  #taking: Promise<void> = Promise.resolve()
  #cancel: (() => void) | undefined

  constructor(parts: {
    readonly clock: Clock
    /** How far the server had come before it said anything. */
    readonly csns: CsnVector
    readonly take: TakeNews
    /** Called once where something is not taken: nothing more is. */
    readonly held: () => void
    /** Which server it is. */
    readonly host: string
  }) {
    this.#clock = parts.clock
    this.#csns = parts.csns
    this.#take = parts.take
    this.#held = parts.held
    this.#host = parts.host
  }

  /** The refresh is over. */
  get isFresh(): boolean {
    return this.#isFresh
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** How far the server has come by now. */
  reaches(csns: CsnVector): void {
    this.#csns = newerCsns(this.#csns, csns)
  }

  /** A cookie that only its own server understands, of what has come up to now. */
  reachesState(octets: Uint8Array): void {
    this.#cookie = octets
  }

  /** What has come up to now was the refresh; resolves when it is taken or held. */
  refreshed(): Promise<void> {
    this.#isFresh = true
    return this.#flush(true)
  }

  /** Something has come; resolves when more may. */
  async soon(): Promise<void> {
    this.#cancel ??= this.#clock.after(GATHER_MS, () => void this.#flush(false))
    if (this.news.entries.size + this.news.gone.size >= GATHERED_MAX) await this.#flush(false)
  }

  /** Resolves when all that came behind the refresh is taken; a refresh that was cut says nothing. */
  async settled(): Promise<void> {
    if (this.#cancel !== undefined) await this.#flush(false)
    await this.#taking
  }

  #flush(isRefresh: boolean): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const { news } = this
    const csns = this.#csns
    const cookie = this.#cookie && { host: this.#host, octets: this.#cookie }
    this.news = noNews()
    return (this.#taking = this.#taking.then(async () => {
      if (
        this.#isHeld ||
        (await this.#take(news, { csns, isRefresh, ...(cookie && { cookie }) })) === 'taken'
      )
        return
      this.#isHeld = true
      this.#held()
    }))
  }
}
