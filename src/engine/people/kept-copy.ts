import { createHash } from 'node:crypto'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import type { DirectorySource } from '#model/source.ts'
import type { KeptCookie, KeptStand, SourceShelf } from '#store/directory/source-shelf.ts'
import { askOf } from './read-source.ts'
import type { CopyChange } from './source-copy.ts'
import type { CopiedEntry } from './copied-entry.ts'

/** Entries of one write or reading. */
const AT_ONCE = 2_000
/** Of what is kept of an entry: grows when a program would make something else of the same entry. */
const SHAPE = 1

/** A source's copy on the disk: a start goes on from there, and asks for what has changed alone. */
export class KeptCopy {
  readonly #source: string
  readonly #mark: string | undefined
  readonly #shelf: SourceShelf
  readonly #log: Log
  #saving: Promise<void> = Promise.resolve()
  /** What is there lacks nothing but what is being written. */
  #isWhole = false

  constructor(
    source: DirectorySource,
    { shelf, log }: { readonly shelf: SourceShelf; readonly log: Log },
  ) {
    this.#source = source.name
    this.#mark = markOf(source)
    this.#shelf = shelf
    this.#log = log
  }

  /** The copy page by page, and how far it has come; undefined: there is none of what is asked for now. */
  async load(
    take: (entries: CopyChange['puts']) => void,
  ): Promise<
    (Omit<KeptStand, 'cookie'> & { readonly cookies: readonly KeptCookie[] }) | undefined
  > {
    try {
      const { stand } = await this.#shelf.stand({ source: this.#source })
      if (stand === undefined || stand.mark !== this.#mark) return undefined
      let after = ''
      for (;;) {
        const page = await this.#shelf.entries({ source: this.#source, after, limit: AT_ONCE })
        take(page.map(({ entry }) => JSON.parse(entry) as CopiedEntry))
        if (page.length < AT_ONCE) break
        after = page.at(-1)!.id
      }
      this.#isWhole = true
      return stand
    } catch (thrown) {
      this.#lost(thrown)
      return undefined
    }
  }

  /** Behind what is being written; where that has failed, all of it is written anew. */
  save(
    { puts, gone }: Pick<CopyChange, 'puts' | 'gone'>,
    stand: Omit<KeptStand, 'mark'>,
    all: () => Iterable<CopiedEntry>,
  ): void {
    const mark = this.#mark
    if (mark === undefined) return
    this.#saving = this.#saving.then(async () => {
      try {
        if (this.#isWhole && puts.length <= AT_ONCE && gone.length <= AT_ONCE)
          await this.#change(puts, { gone, stand: { ...stand, mark } })
        else {
          this.#isWhole = false
          await this.#shelf.forget({ source: this.#source })
          let page: CopiedEntry[] = []
          for (const each of all()) {
            page.push(each)
            if (page.length < AT_ONCE) continue
            await this.#change(page, {})
            page = []
          }
          await this.#change(page, { stand: { ...stand, mark } })
          this.#isWhole = true
        }
      } catch (thrown) {
        this.#lost(thrown)
      }
    })
  }

  #change(
    puts: CopyChange['puts'],
    { gone = [], stand }: { readonly gone?: readonly string[]; readonly stand?: KeptStand },
  ): Promise<void> {
    return this.#shelf.change({
      source: this.#source,
      puts: puts.map((entry) => ({ id: entry.id, entry: JSON.stringify(entry) })),
      gone,
      ...(stand !== undefined && { stand }),
    })
  }

  /** A disk that takes nothing just now costs the next start a full reading. */
  #lost(thrown: unknown): void {
    this.#isWhole = false
    this.#log.warn('directory.sourceNotKept', { source: this.#source, error: messageOf(thrown) })
  }

  /** The source is no more. */
  async forget(): Promise<void> {
    try {
      await this.#shelf.forget({ source: this.#source })
    } catch (thrown) {
      this.#lost(thrown)
    }
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#saving
  }
}

/** Undefined where nothing can be asked for. */
function markOf(source: DirectorySource): string | undefined {
  const { servers, key, auth } = source
  try {
    const asked = JSON.stringify([SHAPE, askOf(source), source.map, servers, key, auth])
    return createHash('sha256').update(asked).digest('hex').slice(0, 32)
  } catch {
    return undefined // its filter means nothing: the follower says so
  }
}
