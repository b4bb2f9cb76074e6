import { hash } from 'node:crypto'
import { randomId } from '#base/id.ts'
import type { KeyPin } from '#base/pin.ts'
import { HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { renderToken } from '#contract/node/join.ts'
import type { NodeId } from '#model/event.ts'
import type { JoiningRole, NodeBeside, NodePlace } from '#model/node.ts'
import type { NodeRegistry, RegisteredNode } from '#store/nodes/node-registry.ts'

const TOKEN_HOURS = 24
/** 160 bits. */
const SECRET_LENGTH = 32

/** Control's own memory of the joined nodes: asked at each request, written through to the registry. */
export class NodeBook {
  readonly #registry: NodeRegistry
  readonly #clock: Clock
  readonly #pin: KeyPin
  readonly #own: readonly NodeBeside[]
  readonly #byPin = new Map<KeyPin, RegisteredNode>()
  readonly #listeners = new Set<() => void>()

  /** `pin` is of control's own key: tokens carry it. `own`: the roles of its machine beside it. */
  constructor(parts: {
    readonly registry: NodeRegistry
    readonly clock: Clock
    readonly pin: KeyPin
    readonly own?: readonly NodeBeside[]
  }) {
    this.#registry = parts.registry
    this.#clock = parts.clock
    this.#pin = parts.pin
    this.#own = parts.own ?? []
  }

  /** Reads the registry; before the first request. */
  async load(): Promise<void> {
    const { items } = await this.#registry.nodes()
    this.#byPin.clear()
    for (const node of items) this.#byPin.set(node.pin, node)
  }

  get nodes(): readonly RegisteredNode[] {
    return [...this.#byPin.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** What the nodes are told of one another. */
  get places(): readonly NodePlace[] {
    return this.nodes.map(({ name, role, address, port, pin, draining }) => ({
      name,
      role,
      address,
      port,
      pin,
      draining,
    }))
  }

  /** Who holds this key; undefined: nobody of ours, or no longer. */
  holder(pin: KeyPin): RegisteredNode | undefined {
    return this.#byPin.get(pin)
  }

  /** Told after each change; the returned function ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The text of a one-time token; it is shown once and stored nowhere. Throws Fault `conflict`. */
  async issue(ask: {
    readonly name: string
    readonly role: JoiningRole
  }): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
    const secret = randomId(SECRET_LENGTH)
    const expiresAtMs = this.#clock.nowMs() + TOKEN_HOURS * HOUR_MS
    const name = ask.name as NodeId
    const secretSha256 = hash('sha256', secret, 'hex')
    await this.#registry.issue({ name, role: ask.role, secretSha256, expiresAtMs, own: this.#own })
    const token = renderToken({ v: 1, name: ask.name, role: ask.role, pin: this.#pin, secret })
    return { token, expiresAtMs }
  }

  /** It has been taken in. */
  joined(node: RegisteredNode): void {
    this.#byPin.set(node.pin, node)
    this.#tell()
  }

  /** Where a node says that it answers now; the others are told of a change. */
  async moved(
    name: string,
    at: { readonly address: string; readonly port: number },
  ): Promise<void> {
    const node = this.nodes.find((each) => each.name === name)
    if (node === undefined || (node.address === at.address && node.port === at.port)) return
    await this.#registry.move({ name, ...at })
    await this.load()
    this.#tell()
  }

  /** False where no such node has joined. */
  async drain(name: string, draining: boolean): Promise<boolean> {
    const { found } = await this.#registry.drain({ name, draining })
    await this.load()
    this.#tell()
    return found
  }

  async remove(name: string): Promise<boolean> {
    const { found } = await this.#registry.remove({ name })
    await this.load()
    this.#tell()
    return found
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
