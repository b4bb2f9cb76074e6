import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMPARISONS, parseFilter, parsePatchPath } from './filter.ts'
import type { Filter } from './filter.ts'
import { GROUP_SCHEMA } from './group-schema.ts'
import type { Json, JsonObject } from './json.ts'
import { matcherOf } from './match.ts'
import { applyPatch } from './patch.ts'
import { parseAttributePath } from './path.ts'
import type { AttributePath } from './path.ts'
import { Refused } from './problem.ts'
import { parseSelection, select } from './select.ts'
import { USER_SCHEMA } from './user-schema.ts'
import { readResource } from './values.ts'

const urns = [...USER_SCHEMA.extensions, USER_SCHEMA.core, GROUP_SCHEMA.core].map(({ id }) => id)
const name = fc.oneof(
  fc.constantFrom(
    ...'userName emails members active name value type primary manager groups roles meta id'.split(
      ' ',
    ),
  ),
  fc.stringMatching(/^[A-Za-z$][\w$-]{0,10}$/),
)
const path: fc.Arbitrary<AttributePath> = fc
  .tuple(fc.option(fc.constantFrom(...urns)), name, fc.option(name))
  .map(([urn, name, sub]) => ({
    name,
    ...(urn !== null && { urn }),
    ...(sub !== null && { sub }),
  }))
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => (each === 0 ? 0 : each)),
)
const filter: fc.Arbitrary<Filter> = fc.letrec<{ any: Filter; joined: Filter }>((tie) => {
  const several = fc.array(tie('any'), { minLength: 2, maxLength: 3 })
  return {
    joined: fc.oneof(
      several.map((filters): Filter => ({ kind: 'and', filters })),
      several.map((filters): Filter => ({ kind: 'or', filters })),
    ),
    any: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      path.map((path): Filter => ({ kind: 'present', path })),
      fc.record({
        kind: fc.constant('compare' as const),
        path,
        operator: fc.constantFrom(...COMPARISONS),
        value,
      }),
      tie('any').map((filter): Filter => ({ kind: 'not', filter })),
      fc.tuple(name, tie('any')).map(([name, filter]): Filter => ({
        kind: 'value',
        path: { name },
        filter,
      })),
      tie('joined'),
    ),
  }
}).any

const pathText = ({ urn, name, sub }: AttributePath): string =>
  `${urn === undefined ? '' : `${urn}:`}${name}${sub === undefined ? '' : `.${sub}`}`

function filterText(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.map((each) => inner(each)).join(` ${filter.kind} `)
    case 'not':
      return `not (${filterText(filter.filter)})`
    case 'present':
      return `${pathText(filter.path)} pr`
    case 'compare':
      return `${pathText(filter.path)} ${filter.operator} ${JSON.stringify(filter.value)}`
    case 'value':
      return `${pathText(filter.path)}[${filterText(filter.filter)}]`
  }
}

const inner = (filter: Filter): string =>
  filter.kind === 'and' || filter.kind === 'or' ? `(${filterText(filter)})` : filterText(filter)

const key = fc.oneof(
  path.map(pathText),
  fc.constantFrom('emails[type eq "work"].value', 'members[value eq "a"]', 'schemas', '__proto__'),
  fc.string(),
)
const json: fc.Arbitrary<Json> = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    value,
    fc.constantFrom('True', 'false', 'hanako@campus.example', '花子', '9'.repeat(400)),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(key, tie('any'), { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<Json>,
  ),
})).any
const object = fc.dictionary(key, json, { noNullPrototype: true }) as fc.Arbitrary<JsonObject>
const operation = fc.record(
  { op: fc.constantFrom('add', 'Replace', 'REMOVE', 'move'), path: key, value: json },
  { requiredKeys: ['op'] },
)

test('any text is a filter, a path of PATCH and a name, or an error', () => {
  const near = fc
    .array(
      fc.oneof(
        name,
        fc.constantFrom(' ', '(', ')', '[', ']', '.', '"', 'eq', 'not', 'and', 'or', '\\', ':'),
      ),
      { maxLength: 12 },
    )
    .map((words) => words.join(''))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), near, filter.map(filterText)), (text) => {
      for (const read of [parseFilter, parsePatchPath, parseAttributePath]) read(text)
      const selection = parseSelection({ attributes: text, excludedAttributes: [text] })
      if (selection.ok) select(USER_SCHEMA, { id: 'x', emails: [{ value: 'a' }] }, selection.value)
    }),
    { numRuns: 2_000 },
  )
})

test('a filter is read as it was written (RFC 7644 §3.4.2.2), and asks any resource', () => {
  fc.assert(
    fc.property(filter, object, (filter, resource) => {
      const text = filterText(filter)
      const parsed = parseFilter(text)
      if (text.length > 8_192) return
      assert.ok(parsed.ok, `${text}: ${JSON.stringify(parsed)}`)
      assert.equal(filterText(parsed.value), text)
      for (const schema of [USER_SCHEMA, GROUP_SCHEMA])
        try {
          matcherOf(parsed.value, schema)(resource)
        } catch (thrown) {
          assert.ok(thrown instanceof Refused, String(thrown))
        }
    }),
    { numRuns: 1_000 },
  )
})

test('any body is a resource or a refusal, any PATCH a new resource or one, and the old one stays', () => {
  fc.assert(
    fc.property(
      object,
      fc.record({ Operations: fc.array(fc.oneof(operation, json), { maxLength: 5 }) }),
      (body, patch) => {
        for (const schema of [USER_SCHEMA, GROUP_SCHEMA])
          try {
            const resource = readResource(schema, body)
            const before = JSON.stringify(resource)
            const done = applyPatch(schema, resource, patch)
            assert.equal(JSON.stringify(resource), before)
            if (done.ok) readResource(schema, done.value)
          } catch (thrown) {
            assert.ok(thrown instanceof Refused, String(thrown))
          }
      },
    ),
    { numRuns: 1_000 },
  )
  assert.equal(({} as JsonObject)['emails'], undefined)
})
