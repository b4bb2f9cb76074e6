import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { DirectoryKey } from '#store/directory/directory.ts'
import type { HomeShelf, HomeStand } from '#store/directory/home-shelf.ts'
import type { HomeNews } from './home-news.ts'

/** Of what is made of entries: grows when a program would make other rows, or other entries, of the same. */
const SHAPE = 1
/** Entries of one write or reading. */
const AT_ONCE = 10_000
/** What is told within it costs one write. */
const SOON_MS = 10 * SECOND_MS

/** How far a home's news are in the log, on the disk: a start asks for what has changed since alone. */
export class KeptStand {
  readonly #parts: ConstructorParameters<typeof KeptStand>[0]
  #cancel: (() => void) | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(parts: {
    readonly shelf: HomeShelf
    readonly news: HomeNews
    /** By server, as they are now. */
    readonly cookies: ReadonlyMap<string, Octets>
    /** Rows that are not taken; undefined: it cannot be said just now, and `soon` is called again. */
    readonly waiting: () => readonly DirectoryKey[] | undefined
    readonly clock: Clock
    readonly trouble: Log
  }) {
    this.#parts = parts
  }

  /** The names of entries go to the news; the cookies are answered, none where all has to be compared. */
  async load(): Promise<readonly (readonly [server: string, cookie: Octets])[]> {
    const { shelf, news, trouble } = this.#parts
    try {
      const { stand } = await shelf.stand()
      if (stand?.shape !== SHAPE) return []
      for (let after = ''; ;) {
        const page = await shelf.entries({ after, limit: AT_ONCE })
        news.restore(page)
        if (page.length < AT_ONCE) break
        after = page.at(-1)!.uuid
      }
      for (const key of stand.waiting) news.touch(key)
      return stand.cookies.map(({ server, base64 }) => [server, Buffer.from(base64, 'base64')])
    } catch (thrown) {
      trouble.warn('directory.homeStandLost', { error: messageOf(thrown) })
      return []
    }
  }

  /** What has changed is written within a while. */
  soon(): void {
    this.#cancel ??= this.#parts.clock.after(SOON_MS, () => void this.save())
  }

  /** Writes what has changed since the last time; never rejects. */
  save(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    this.#saving = this.#saving.then(() => this.#save())
    return this.#saving
  }

  async #save(): Promise<void> {
    const { shelf, news, cookies, trouble } = this.#parts
    const waiting = this.#parts.waiting()
    if (waiting === undefined || cookies.size === 0) return
    const stand: HomeStand = {
      shape: SHAPE,
      cookies: [...cookies].map(([server, cookie]) => ({
        server,
        base64: Buffer.from(cookie).toString('base64'),
      })),
      waiting,
    }
    const changes = news.unsaved(AT_ONCE)
    let { isWhole } = changes
    try {
      for (let at = 0; at === 0 || at < changes.puts.length; at += AT_ONCE) {
        const isLast = at + AT_ONCE >= changes.puts.length
        const puts = changes.puts.slice(at, at + AT_ONCE)
        await shelf.keep({
          isWhole,
          puts,
          gone: isLast ? changes.gone : [],
          ...(isLast && { stand }),
        })
        isWhole = false
      }
    } catch (thrown) {
      news.forgetSaved() // whatever of it was written: the next time all of it is
      trouble.warn('directory.homeStandNotKept', { error: messageOf(thrown) })
    }
  }
}
