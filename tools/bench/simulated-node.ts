import type { Installation } from '#test/e2e/installation.ts'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { JoinedNode } from '#app/nodes/joined-node.ts'
import { fromUtf8 } from '#base/octets.ts'
import { silentLog } from '#base/log.ts'
import type { KeyPin } from '#base/pin.ts'
import { systemClock } from '#base/time.ts'
import { joinControl } from '#client/node/join.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import type { Dial } from '#client/node/request.ts'
import { parseToken } from '#contract/node/join.ts'

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

/** A node as gateways and stores have it, with its copies in memory, so that control is what is measured. */
export function simulatedNode(name: string, dial: Dial): JoinedNode {
  const nothing = (): Promise<void> => Promise.resolve()
  return new JoinedNode({
    dial,
    clock: systemClock,
    log: silentLog,
    node: name,
    role: 'gateway',
    replica: {
      load: () => Promise.resolve({ seq: 0, json: fromUtf8('[]') }),
      apply: nothing,
      gather: nothing,
      replace: nothing,
    },
    copy: { load: () => Promise.resolve({ tables: {} }), save: nothing },
    events: {
      append: () => Promise.resolve({ seq: 0 }),
      since: () => Promise.resolve({ epoch: 'e', records: [] }),
      ack: nothing,
      status: () => Promise.resolve({ epoch: 'e', waiting: 0, seq: 0, lost: 0 }),
    },
    beat: () => ({ state: 'ready', version: 'bench', pid: process.pid }),
  })
}
