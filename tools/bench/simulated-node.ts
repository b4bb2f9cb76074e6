import type { Installation } from '#test/e2e/installation.ts'
import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { get as getSecure } from 'node:https'
import { join } from 'node:path'
import { JoinedNode } from '#app/nodes/joined-node.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import type { KeyPin } from '#base/pin.ts'
import { systemClock } from '#base/time.ts'
import { joinControl } from '#client/node/join.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import type { Dial } from '#client/node/request.ts'
import { parseToken } from '#contract/node/join.ts'
import type { NodeId } from '#model/event.ts'
import type { EventLog } from '#store/events/event-log.ts'

/** Asks `/api/v1` of the installation, as the command line does. */
export function apiOf(ours: Installation) {
  return (method: string, path: string, body?: unknown): Promise<unknown> => {
    const runtime = JSON.parse(readFileSync(join(ours.dir, 'runtime.json'), 'utf8')) as {
      readonly adminSocket: string
    }
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          socketPath: runtime.adminSocket,
          method,
          path: `/api/v1${path}`,
          headers: {
            authorization: `Bearer ${ours.firstRun.apiToken}`,
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            if ((response.statusCode ?? 500) < 400) resolve(JSON.parse(text))
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
          })
        },
      )
      asked.once('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}

/** Takes a key in as a gateway; how it dials control from then on. */
export async function joinAs(
  name: string,
  identity: NodeIdentity,
  at: { readonly port: number; readonly api: ReturnType<typeof apiOf> },
): Promise<Dial> {
  const made = (await at.api('POST', '/nodes/tokens', { name, role: 'gateway' })) as {
    readonly token: string
  }
  const { pin, secret } = parseToken(made.token)!
  const peer = { address: '127.0.0.1', port: at.port, pin: pin as KeyPin }
  const dial = dialPinned(identity, peer)
  await joinControl({ dial, clock: systemClock, request: { secret, port: 9 } })
  return dial
}

/** Events of a simulated node, in memory. */
export class EventSource {
  #seq = 0
  acked = 0
  #timer: NodeJS.Timeout | undefined

  /** Makes so many a second from now on, ten times a second. */
  flow(perSecond: number, node: JoinedNode): void {
    this.#timer = setInterval(() => {
      this.#seq += perSecond / 10
      node.link.poke()
    }, 100)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  readonly log: EventLog = {
    append: () => Promise.resolve({ seq: this.#seq }),
    since: async ({ limit }) => ({
      epoch: 'e',
      records: Array.from({ length: Math.min(limit, this.#seq - this.acked) }, (_, i) => {
        const seq = this.acked + i + 1
        return {
          node: 'n' as NodeId,
          seq,
          atMs: Date.now(),
          name: 'receive.accepted',
          deliveryId: `D${Math.floor(seq / 3)}`,
          fields: {
            messageId: `<${randomUUID()}@example.org>`,
            from: `user${seq % 977}@example.org`,
            to: `user.${(seq * 7_919) % 10_000}@campus.example`,
            class: 'clean',
          },
        }
      }),
    }),
    ack: async ({ seq }) => void (this.acked = seq),
    status: async () => ({ epoch: 'e', waiting: 0, seq: this.#seq, lost: 0 }),
  }
}

/** A node as gateways and stores have it, with its copies in memory, so that control is what is measured. */
export function simulatedNode(
  name: string,
  dial: Dial,
  events = new EventSource(),
  /** Where its copies lie, else in memory. */
  storage?: StorageChild<'spool'>,
): JoinedNode {
  const nothing = (): Promise<void> => Promise.resolve()
  return new JoinedNode({
    dial,
    clock: systemClock,
    log: silentLog,
    node: name,
    role: 'gateway',
    replica: storage?.service('replica') ?? {
      load: () => Promise.resolve({ seq: 0, json: fromUtf8('[]') }),
      removed: () => Promise.resolve({ accountIds: [] }),
      apply: nothing,
      gather: nothing,
      replace: nothing,
    },
    copy: storage?.service('copy') ?? {
      load: () => Promise.resolve({ tables: {} }),
      save: nothing,
    },
    events: events.log,
    beat: () => ({ state: 'ready', version: 'bench', pid: process.pid }),
  })
}

/** What `/metrics` of the installation says. */
export async function metricsOf(ours: Installation): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port: ours.port(9443), host: '127.0.0.1', path: '/metrics' }
    getSecure({ ...options, rejectUnauthorized: false, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    }).once('error', reject)
  })
}
