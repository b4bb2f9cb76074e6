import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '#base/outcome.ts'
import type { NodePlace } from '#model/node.ts'
import { sha256 } from './resolve.ts'
import type { SettingsSnapshot } from './resolve.ts'

/** A node's own last good generation, durable: what it starts from while control is away. */
export interface SettingsCopy {
  load(): Promise<{
    readonly snapshot?: SettingsSnapshot
    readonly tables: Readonly<Record<string, string>>
    /** The nodes of the installation, as control told them last. */
    readonly nodes?: readonly NodePlace[]
    /** What time it was when this was kept, where that was known. */
    readonly timeMs?: number
    /** Where users' scripts have their home, by control's name for it; absent: in the store alone. */
    readonly scriptHome?: string
  }>
  save(copy: {
    readonly snapshot: SettingsSnapshot
    /** The text of each table that the snapshot names, by hash. */
    readonly tables: Readonly<Record<string, string>>
    readonly nodes?: readonly NodePlace[]
    readonly timeMs?: number
    readonly scriptHome?: string
  }): Promise<void>
}

/** Of the file's form; stands in its first line. */
const VERSION = 1

/** The copy in a file of its own, written beside the old one and put in its place; by a storage process only. */
export class FileSettingsCopy implements SettingsCopy {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async load(): ReturnType<SettingsCopy['load']> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { tables: {} }
      throw cause
    }
    const cut = text.indexOf('\n')
    const body = text.slice(cut + 1)
    const version = Number(/^watari-settings (\d{1,9}) /.exec(text)?.[1] ?? VERSION)
    if (version > VERSION)
      throw new Fault(
        'version',
        `${this.#path}: has version ${version} of the copy of the settings, this program knows up to ${VERSION}`,
      )
    if (cut < 0 || text.slice(0, cut) !== `watari-settings ${VERSION} ${sha256(body)}`)
      throw new Fault(
        'corrupt',
        `${this.#path}: the copy of the settings is damaged; remove it, and it is fetched anew`,
      )
    return JSON.parse(body) as Awaited<ReturnType<SettingsCopy['load']>>
  }

  async save(copy: Parameters<SettingsCopy['save']>[0]): Promise<void> {
    const body = JSON.stringify(copy)
    const file = await open(`${this.#path}.new`, 'w', 0o640)
    try {
      await file.writeFile(`watari-settings ${VERSION} ${sha256(body)}\n${body}`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${this.#path}.new`, this.#path)
    const folder = await open(dirname(this.#path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}
