import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { page } from '#contract/admin/common.ts'
import { longPages } from './long-pages.ts'

const item = z.object({ name: z.string(), size: z.number().optional() })
const query = z.object({ count: z.coerce.number() })
const shape = page(item).extend({ unreachable: z.array(z.string()).optional() })

/** An answer of so many items, with a field that no schema knows; `more` stands beside them. */
async function answerOf(count: number, more: object, isSliced: boolean) {
  const app = fastify().withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  if (isSliced) app.addHook('preSerialization', longPages)
  app.get('/', { schema: { querystring: query, response: { 200: shape } } }, async (request) => {
    const items = Array.from({ length: request.query.count }, (_, i) => ({
      name: `"利用者"\n${i}`,
      ...(i % 2 === 0 && { size: i }),
      secret: 'hash',
    }))
    return { items, secret: 'hash', ...more }
  })
  const response = await app.inject(`/?count=${count}`)
  await app.close()
  return response
}

test('long pages say the same as short ones, whole and in order, and nothing beyond their schema', async () => {
  for (const count of [0, 250, 251, 1_000, 1_001])
    for (const more of [{}, { next: '次' }, { next: 'x', unreachable: ['gw-1'] }]) {
      const sliced = await answerOf(count, more, true)
      const whole = await answerOf(count, more, false)
      assert.equal(sliced.statusCode, 200)
      assert.equal(sliced.headers['content-type'], whole.headers['content-type'])
      assert.deepEqual(sliced.json(), whole.json())
      assert.ok(!sliced.body.includes('hash'))
    }
})

test('an item that its schema refuses fails the whole answer', async () => {
  const { statusCode } = await answerOf(600, { items: [...Array(600)].map(() => ({})) }, true)
  assert.equal(statusCode, 500)
})
