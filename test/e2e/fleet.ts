import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation, InstallOptions } from './installation.ts'

/** A node as `watari node ls` shows it. */
export interface NodeRow {
  readonly node: string
  readonly role: string
  readonly connected: boolean
  readonly state: string
  readonly generation?: number
  readonly hash?: string
  readonly address?: string
  readonly port?: number
  readonly version?: string
  readonly lastBeat?: string
  readonly queued?: number
  readonly eventGaps?: number
}

/** A control centre and the machines that have joined it, each with a data folder of its own. */
export class Fleet {
  readonly control: Installation
  readonly cli: CommandLine
  readonly #joined: Installation[] = []

  private constructor(control: Installation) {
    this.control = control
    this.cli = commandLine(control)
  }

  static async begin(options: InstallOptions = { role: 'control' }): Promise<Fleet> {
    return new Fleet(await install({ bind: ['127.0.0.1'], ...options }))
  }

  /** A one-time token in a file. */
  async token(role: string, name: string): Promise<string> {
    const file = join(this.control.dir, `${name}.token`)
    writeFileSync(file, await this.cli.run(['node', 'token', '--role', role, '--name', name]))
    return file
  }

  /** Starts a new machine that joins with this token. */
  async start(role: string, tokenFile: string, more: InstallOptions = {}): Promise<Installation> {
    const url = `https://${this.control.host}:${this.control.port(6443)}`
    const joined = { role, url, tokenFile, firstRun: this.control.firstRun }
    const node = await install({ bind: ['127.0.0.1'], ...more, joined })
    this.#joined.push(node)
    return node
  }

  async join(role: string, name: string, more: InstallOptions = {}): Promise<Installation> {
    return this.start(role, await this.token(role, name), more)
  }

  async nodes(): Promise<readonly NodeRow[]> {
    return (await this.cli.json<{ items: NodeRow[] }>(['node', 'ls'])).items
  }

  async allReady(): Promise<void> {
    await until('all nodes are ready', async () =>
      (await this.nodes()).every(({ connected, state }) => connected && state === 'ready'),
    )
  }

  async remove(): Promise<void> {
    for (const one of [...this.#joined, this.control]) await one.remove()
  }
}
