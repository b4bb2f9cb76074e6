import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scriptHomeCalls, remoteScriptStore } from '#app/nodes/script-home-calls.ts'
import { scriptCalls } from '#app/nodes/script-calls.ts'
import { closeServer, dialPath, servePath } from '#app/nodes/node-parts.ts'
import { Fault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import { scriptWrites } from '#contract/node/scripts.ts'
import type { ScriptWritesBody } from '#contract/node/scripts.ts'
import { HomedScripts } from '#engine/deliver/homed-scripts.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import type { Scripts } from '#engine/deliver/scripts.ts'
import { toldScripts } from '#engine/deliver/told-scripts.ts'
import type { ScriptStore } from '#engine/home/script-store.ts'
import type { NewEvent } from '#model/event.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'

/** A store's part of a home of scripts: its rules, its calls over a socket, and what it asks control for. */
export class ScriptSide {
  readonly mailboxes = new FakeMailboxStore()
  readonly events: NewEvent[] = []
  /** What control does with a change; nobody: control is away. */
  control: { changeScripts(change: ScriptWritesBody): Promise<'written' | 'here'> } | undefined
  readonly node = {
    scriptHome: undefined as string | undefined,
    keepScriptHome: async (home: string | undefined) => void (this.node.scriptHome = home),
  }
  readonly homed: HomedScripts
  readonly scripts: Scripts
  /** As control reaches it. */
  readonly remote: ScriptStore
  readonly #dir = mkdtempSync(join(tmpdir(), 'watari-script-side-'))
  #server: Awaited<ReturnType<typeof servePath>> | undefined

  constructor() {
    const told = { events: { emit: (event: NewEvent) => void this.events.push(event) } }
    this.homed = new HomedScripts({
      mailboxes: this.mailboxes,
      home: {
        isElsewhere: () => this.node.scriptHome !== undefined,
        write: async (change) => {
          if (this.control === undefined) throw new Fault('unavailable', 'control is away')
          const sent = scriptWrites.parse(JSON.parse(JSON.stringify(change)))
          const end = await this.control.changeScripts(sent)
          if (end === 'here') await this.node.keepScriptHome(undefined)
        },
      },
      ...told,
      clock: systemClock,
    })
    this.scripts = toldScripts(scriptsOf(this.homed), { ...told, clock: systemClock })('花子')
    const caller = new NodeCaller({ dial: dialPath(this.#path), clock: systemClock })
    this.remote = remoteScriptStore(caller)
  }

  get #path(): string {
    return join(this.#dir, 'store.sock')
  }

  async listen(): Promise<void> {
    const { homed, mailboxes, node } = this
    const told = { events: { emit: (event: NewEvent) => void this.events.push(event) } }
    const calls = {
      ...scriptCalls(toldScripts(scriptsOf(homed), { ...told, clock: systemClock }), mailboxes),
      ...scriptHomeCalls(homed, { mailboxes, node }),
    }
    this.#server = await servePath(this.#path, nodeServer({ calls }))
  }

  /** It is away: nobody reaches it. */
  deafen(): void {
    if (this.#server !== undefined) closeServer(this.#server)
    this.#server = undefined
  }

  async close(): Promise<void> {
    this.deafen()
    await this.mailboxes.close()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
