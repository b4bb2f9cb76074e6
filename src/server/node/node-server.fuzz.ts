import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { NODE_PATHS } from '#contract/node/wire.ts'
import { nodeServer } from './node-server.ts'

const octets = fc.uint8Array({ maxLength: 300 })
const word = fc.oneof(
  fc.constantFrom('id', 'argument', 'sizeBytes', 'reversePath', 'recipients', '渡り', '__proto__'),
  fc.string(),
)
const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, -1, 2 ** 53),
    word,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(word, tie('any'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).any
/** A body that is one line of JSON, octets behind it, or neither. */
const body = fc.oneof(
  octets.map((each) => Buffer.from(each)),
  fc
    .tuple(json, octets, fc.boolean())
    .map(([value, rest, isLine]) =>
      Buffer.concat([
        Buffer.from(`${JSON.stringify(value)}${isLine ? '\n' : ''}`),
        isLine ? rest : Buffer.alloc(0),
      ]),
    ),
)

test('any request of another node is answered, and carried out only where it is one', async () => {
  const taken: unknown[] = []
  const server = createServer(
    nodeServer({
      state: () => 'ready',
      outbox: async (head, content) => {
        for await (const _ of content);
        assert.ok(Number.isSafeInteger(head.sizeBytes))
      },
      calls: { 'queue.list': async (argument: unknown) => void taken.push(argument) },
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const path = fc.constantFrom(
    NODE_PATHS.outbox,
    NODE_PATHS.alive,
    `${NODE_PATHS.calls}queue.list`,
    `${NODE_PATHS.calls}constructor`,
    `${NODE_PATHS.mailboxes}commit`,
    '/%ZZ',
    '/',
  )
  try {
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.constantFrom('POST', 'GET', 'PUT'),
        body,
        async (to, method, content) => {
          const init = method === 'GET' ? {} : { body: new Uint8Array(content) }
          const answer = await fetch(`${base}${to}`, { method, ...init })
          await answer.arrayBuffer()
          assert.ok(answer.status < 500, `${method} ${to}: ${answer.status}`)
        },
      ),
      { numRuns: 400 },
    )
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
