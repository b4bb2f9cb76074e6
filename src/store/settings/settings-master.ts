import { Semaphore } from '#base/deadline.ts'
import { err, Fault, isFault, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { compareContents } from './compare.ts'
import type { Generation, SettingChange, SettingsAuthor, SettingsStore } from './generations.ts'
import { contentHash, resolveSettings, sha256, tableRows, tableText } from './resolve.ts'
import type { SettingsContent, SettingsSnapshot, TableSource } from './resolve.ts'
import { optionOf } from './table.ts'
import type { SettingKey, Settings } from './table.ts'
import { readKey, readValue } from './validate.ts'
import type { SettingRefusal } from './validate.ts'

/** Keys to set; `null` goes back to the default. */
export type SettingEdits = Readonly<Record<string, unknown>>

/** What is staged on top of a generation, by whom. */
export interface Draft {
  readonly base: number
  readonly content: SettingsContent
  readonly by: SettingsAuthor
  readonly atMs: number
}

/** The generation that an editor has seen; absent: whatever is the latest. */
interface Write {
  readonly by: SettingsAuthor
  readonly base?: number
}

/** The one writer of the settings, in control: each write is a new generation, validated whole first. */
export class SettingsMaster {
  readonly #store: SettingsStore
  readonly #clock: Clock
  readonly #scriptFault: ((text: string) => string | undefined) | undefined
  readonly #oneByOne = new Semaphore(1)
  readonly #listeners = new Set<(snapshot: SettingsSnapshot) => void>()
  #latest: Generation | undefined
  #settings: Settings | undefined
  #draft: Draft | undefined
  /** A write whose end is not known: it may be in the store all the same. */
  #isBehind = false

  constructor(parts: {
    readonly store: SettingsStore
    readonly clock: Clock
    /** What is wrong with a Sieve script; absent: nothing is said about it. */
    readonly scriptFault?: (text: string) => string | undefined
  }) {
    this.#scriptFault = parts.scriptFault
    this.#store = parts.store
    this.#clock = parts.clock
  }

  /** Reads the latest generation and the draft; before anything else. */
  async load(): Promise<void> {
    const { generation } = await this.#store.generation({})
    const { json } = await this.#store.draft()
    const settings = await resolveSettings(generation!, this.table)
    if (!settings.ok)
      throw new Fault('config', `generation ${generation!.generation}: ${settings.error.message}`)
    this.#latest = generation!
    this.#settings = settings.value
    this.#draft = json === undefined ? undefined : (JSON.parse(json) as Draft)
  }

  get latest(): Generation {
    if (this.#latest === undefined) throw new Fault('unavailable', 'the settings are not read yet')
    return this.#latest
  }

  /** Undefined before they are read. */
  get loaded(): Settings | undefined {
    return this.#settings
  }

  get settings(): Settings {
    if (this.#settings === undefined)
      throw new Fault('unavailable', 'the settings are not read yet')
    return this.#settings
  }

  get draft(): Draft | undefined {
    return this.#draft
  }

  get snapshot(): SettingsSnapshot {
    const { generation, hash, values, tables } = this.latest
    return { generation, hash, values, tables }
  }

  readonly table: TableSource = async (hash) => (await this.#store.table({ hash })).text

  /** The rows of a network setting as they are in force. */
  async rows(key: SettingKey): Promise<readonly string[]> {
    const hash = this.latest.tables[key]
    if (hash === undefined) {
      const option = optionOf(key)
      return option.type === 'networks' ? option.default : []
    }
    return tableRows((await this.table(hash)) ?? '')
  }

  /** Validates and applies at once. */
  set(edits: SettingEdits, write: Write): Promise<Outcome<Generation, SettingRefusal>> {
    return this.#turn(async () => {
      const stale = this.#stale(write.base)
      if (stale !== undefined) return err(stale)
      const edited = await this.#edit(this.latest, edits)
      return edited.ok ? this.#commit(edited.value, write.by, 'set') : edited
    })
  }

  /** Changes the rows of a network setting: some in, some out. */
  changeRows(
    key: SettingKey,
    rows: { readonly add: readonly string[]; readonly remove: readonly string[] },
    write: Write,
  ): Promise<Outcome<Generation, SettingRefusal>> {
    return this.#turn(async () => {
      const stale = this.#stale(write.base)
      if (stale !== undefined) return err(stale)
      const out = readValue(key, rows.remove)
      if (!out.ok) return out
      const removed = new Set(out.value as readonly string[])
      const before = await this.rows(key)
      const missing = removed.difference(new Set(before))
      if (missing.size > 0) return err(notListed(key, [...missing][0]!))
      const kept = before.filter((row) => !removed.has(row))
      // Added rows come first, so that a refusal names them by their own number.
      const edited = await this.#edit(this.latest, { [key]: [...rows.add, ...kept] })
      return edited.ok ? this.#commit(edited.value, write.by, 'set') : edited
    })
  }

  /** Validates and stages on top of what is staged already; nothing is in force yet. */
  stage(edits: SettingEdits, write: Write): Promise<Outcome<Draft, SettingRefusal>> {
    return this.#turn(async () => {
      const draft = this.#draft
      const stale = this.#stale(draft?.base) ?? this.#stale(write.base)
      if (stale !== undefined) return err(stale)
      const edited = await this.#edit(draft?.content ?? this.latest, edits)
      if (!edited.ok) return edited
      const { content, tables } = edited.value
      const staged: Draft = {
        base: this.latest.generation,
        content,
        by: write.by,
        atMs: this.#clock.nowMs(),
      }
      await this.#store.saveDraft({ json: JSON.stringify(staged), tables })
      this.#draft = staged
      return ok(staged)
    })
  }

  /** Throws away what is staged. */
  discard(): Promise<void> {
    return this.#turn(async () => {
      await this.#store.saveDraft({ json: null, tables: {} })
      this.#draft = undefined
    })
  }

  /** Makes what is staged the next generation. */
  apply(write: Write): Promise<Outcome<Generation, SettingRefusal>> {
    return this.#turn(async () => {
      const draft = this.#draft
      if (draft === undefined)
        return err(
          refusal(
            'notFound',
            'nothing is staged',
            'watari settings edit KEY=VALUE stages a change.',
          ),
        )
      const stale = this.#stale(draft.base) ?? this.#stale(write.base)
      if (stale !== undefined) return err(stale)
      const edited = await this.#check(draft.content, {})
      if (!edited.ok) return edited
      const done = await this.#commit(edited.value, write.by, 'apply')
      if (done.ok) {
        await this.#store.saveDraft({ json: null, tables: {} })
        this.#draft = undefined
      }
      return done
    })
  }

  /** A new generation with the content of an earlier one. */
  rollback(number: number, write: Write): Promise<Outcome<Generation, SettingRefusal>> {
    return this.#turn(async () => {
      const stale = this.#stale(write.base)
      if (stale !== undefined) return err(stale)
      const { generation } = await this.#store.generation({ number })
      if (generation === undefined)
        return err(
          refusal(
            'notFound',
            `there is no generation ${number}`,
            'watari settings history lists them.',
          ),
        )
      const { values, tables } = generation
      const edited = await this.#check({ values, tables }, {})
      return edited.ok ? this.#commit(edited.value, write.by, `rollback to ${number}`) : edited
    })
  }

  /** What differs from one generation to another, or to what is staged. */
  async diff(
    from: number,
    to: number | 'draft',
  ): Promise<Outcome<readonly SettingChange[], SettingRefusal>> {
    const contents: SettingsContent[] = []
    for (const side of [from, to]) {
      const content =
        side === 'draft'
          ? (this.#draft?.content ?? this.latest)
          : (await this.#store.generation({ number: side })).generation
      if (content === undefined)
        return err(
          refusal(
            'notFound',
            `there is no generation ${side}`,
            'watari settings history lists them.',
          ),
        )
      contents.push(content)
    }
    return ok(await compareContents(contents[0]!, contents[1]!, this.table))
  }

  /** Told after each new generation; the returned function ends it. */
  onChange(listener: (snapshot: SettingsSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** One writer after the other, each with what the store really holds. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    return this.#oneByOne.run(async () => {
      if (this.#isBehind) {
        const before = this.latest.generation
        await this.load()
        this.#isBehind = false
        if (this.latest.generation !== before) this.#tell()
      }
      return work()
    })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.snapshot)
  }

  #stale(base: number | undefined): SettingRefusal | undefined {
    const { generation, by } = this.latest
    return base === undefined || base === generation
      ? undefined
      : refusal(
          'conflict',
          `the settings have changed meanwhile: ${by.who} made generation ${generation}, you have seen ${base}`,
          `Look at watari settings diff ${base} ${generation}, then make your change again (watari settings edit --discard drops what is staged).`,
        )
  }

  async #edit(
    from: SettingsContent,
    edits: SettingEdits,
  ): Promise<Outcome<Edited, SettingRefusal>> {
    const values = { ...from.values }
    const tables = { ...from.tables }
    const texts: Record<string, string> = {}
    for (const [name, value] of Object.entries(edits)) {
      const key = readKey(name)
      if (!key.ok) return key
      delete values[key.value]
      delete tables[key.value]
      if (value === null) continue
      const read = readValue(key.value, value)
      if (!read.ok) return read
      const wrong =
        optionOf(key.value).type === 'script' ? this.#scriptFault?.(String(read.value)) : undefined
      if (wrong !== undefined)
        return err(refusal('invalid', `${key.value}: ${wrong}`, 'Correct the script.'))
      if (optionOf(key.value).type === 'networks') {
        const text = tableText(read.value as readonly string[])
        const hash = sha256(text)
        tables[key.value] = hash
        texts[hash] = text
      } else values[key.value] = read.value
    }
    return this.#check({ values, tables }, texts)
  }

  async #check(
    content: SettingsContent,
    texts: Readonly<Record<string, string>>,
  ): Promise<Outcome<Edited, SettingRefusal>> {
    const source: TableSource = async (hash) => texts[hash] ?? this.table(hash)
    const settings = await resolveSettings(content, source, {
      tables: this.latest.tables,
      settings: this.settings,
    })
    return settings.ok ? ok({ content, tables: texts, settings: settings.value, source }) : settings
  }

  async #commit(
    edited: Edited,
    by: SettingsAuthor,
    note: string,
  ): Promise<Outcome<Generation, SettingRefusal>> {
    const base = this.latest
    const generation: Generation = {
      generation: base.generation + 1,
      hash: contentHash(edited.content),
      ...edited.content,
      atMs: this.#clock.nowMs(),
      by,
      note,
      changes: await compareContents(base, edited.content, edited.source),
    }
    this.#isBehind = true
    try {
      await this.#store.write({ base: base.generation, generation, tables: edited.tables })
      this.#isBehind = false
    } catch (cause) {
      if (isFault(cause, 'conflict'))
        return err(refusal('conflict', cause.message, 'Look at watari settings history.'))
      throw cause
    }
    this.#latest = generation
    this.#settings = edited.settings
    this.#tell()
    return ok(generation)
  }
}

interface Edited {
  readonly content: SettingsContent
  /** Texts of tables that may be new, by hash. */
  readonly tables: Readonly<Record<string, string>>
  readonly settings: Settings
  readonly source: TableSource
}

const refusal = (
  code: SettingRefusal['code'],
  message: string,
  remedy: string,
): SettingRefusal => ({ code, message, remedy })

const notListed = (key: string, row: string): SettingRefusal =>
  refusal('notFound', `${row} is not in ${key}`, 'watari access ls shows what is there.')
