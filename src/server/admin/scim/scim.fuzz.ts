import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { adminApi, TOKEN } from '#test/fake/admin-api.ts'
import { ScimClient } from '#test/fake/scim-client.ts'

const WORDS =
  'userName displayName active emails members name value primary type Operations op path add replace remove password method bulkId data id schemas filter count startIndex sortBy attributes'
const text = fc.oneof(
  fc.constantFrom(
    ...WORDS.split(' '),
    'hanako',
    'taro@campus.example',
    'urn:ietf:params:scim:schemas:extension:watari:2.0:User',
    'urn:ietf:params:scim:schemas:extension:watari:2.0:Group',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    'emails[type eq "work"].value',
    'members[value eq "a"]',
    'userName sw "h" and not (active eq true)',
    '/Users',
    '/Groups/bulkId:x',
    'POST',
    'PATCH',
    'bulkId:x',
    '渡り',
    '%ZZ',
    '\u0000',
  ),
  fc.string(),
)
const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 2 ** 53, 1e300, 'True', '9'.repeat(400)),
    text,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(text, tie('any'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).any
const operations = fc.record({
  Operations: fc.array(
    fc.record(
      {
        op: fc.constantFrom('add', 'Replace', 'remove'),
        method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
        path: text,
        bulkId: fc.constantFrom('x', 'y'),
        value: json,
        data: json,
      },
      { requiredKeys: [] },
    ),
    { maxLength: 4 },
  ),
})

test('any path, query and body of SCIM is answered in its form, and no failure of ours', async () => {
  const api = await adminApi()
  try {
    await api.ask('POST', '/domains', { name: 'campus.example' })
    const scim = new ScimClient({ base: api.base.replace('/api/v1', '/scim/v2'), token: TOKEN })
    const { id } = await scim.took(201, 'POST', '/Users', { userName: 'hanako' })
    const group = await scim.took(201, 'POST', '/Groups', { displayName: 'staff' })
    const routes = [
      ['GET', '/Users'],
      ['GET', '/Groups'],
      ['GET', '/Schemas/WORD'],
      ['GET', '/Users/WORD'],
      ['POST', '/Users'],
      ['POST', '/Groups'],
      ['POST', '/Bulk'],
      ['POST', '/.search'],
      ['PUT', `/Users/${id}`],
      ['PATCH', `/Users/${id}`],
      ['PUT', `/Groups/${encodeURIComponent(group.id)}`],
      ['PATCH', `/Groups/${encodeURIComponent(group.id)}`],
      ['DELETE', '/Groups/WORD'],
    ] as const
    const query = fc
      .array(fc.tuple(text, text), { maxLength: 3 })
      .map((pairs) => new URLSearchParams(pairs).toString())
    for (const [method, path] of routes)
      await fc.assert(
        fc.asyncProperty(text, query, fc.oneof(json, operations), async (word, asked, body) => {
          const url = path.replace('WORD', encodeURIComponent(word.toWellFormed()))
          const hasBody = method !== 'GET' && method !== 'DELETE'
          const { status, body: got } = await scim.ask(
            method,
            `${url}?${asked}`,
            hasBody ? body : undefined,
          )
          assert.ok(status < 500 || status === 501, `${method} ${url}: ${status}`)
          if (status >= 400) assert.equal(got.status, String(status))
        }),
        { numRuns: 30 },
      )
  } finally {
    await api.end()
  }
})
