import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { adminApi } from '#test/fake/admin-api.ts'

const WORDS =
  'username password addresses name convertTo from to keep nextHop limit cursor search state add remove script values value days asOf dryRun role draining quota bytes messages version generation since after'
const text = fc.oneof(
  fc.constantFrom(
    ...WORDS.split(' '),
    'hanako',
    'campus.example',
    '渡り',
    '..',
    '%',
    '%ZZ',
    '\u0000',
  ),
  fc.string(),
)
const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, -1, 2 ** 53, 1e300, '9'.repeat(400)),
    text,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(text, tie('any'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).any
const query = fc
  .array(fc.tuple(text, text), { maxLength: 4 })
  .map((pairs) => new URLSearchParams(pairs))

test('any path, query and body of the API is answered, and no failure of ours', async () => {
  const api = await adminApi()
  try {
    const { paths } = (await (await fetch(`${api.base}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>
    }
    // What ends or begins sessions and acts on a real node is asked like all else; nothing is there to be hurt.
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
    )
    assert.ok(routes.length > 40, `${routes.length} routes`)
    for (const { path, method } of routes)
      await fc.assert(
        fc.asyncProperty(text, query, json, async (word, asked, body) => {
          const url = path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(word.toWellFormed()))
          const hasBody = method !== 'GET' && method !== 'DELETE'
          const answer = await api.ask(
            method,
            `${url}?${asked.toString()}`,
            hasBody ? body : undefined,
          )
          assert.ok(
            answer.status < 500 || answer.status === 503,
            `${method} ${url}: ${answer.status}`,
          )
        }),
        { numRuns: 12 },
      )
  } finally {
    await api.end()
  }
})
