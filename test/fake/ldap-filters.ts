import fc from 'fast-check'
import type { Octets } from '#base/octets.ts'
import type { Filter } from '#codec/ldap/filter.ts'

/** Names of attributes as filters have them. */
export const someType = fc.constantFrom('uid', 'cn;lang-ja', '2.5.4.3')

/**
 * Any filter. `part` is what a part of substrings may be: a text cannot show one of no octets. With `hasTypes`
 * each matching rule names its type.
 */
export function someFilter(of: {
  readonly value: fc.Arbitrary<Octets>
  readonly part?: fc.Arbitrary<Octets>
  readonly hasTypes?: boolean
}): fc.Arbitrary<Filter> {
  const { value, part = value, hasTypes = false } = of
  const leaf: fc.Arbitrary<Filter> = fc.oneof(
    fc.record({
      kind: fc.constantFrom(
        'equal' as const,
        'atLeast' as const,
        'atMost' as const,
        'approximate' as const,
      ),
      type: someType,
      value,
    }),
    fc.record({ kind: fc.constant('present' as const), type: someType }),
    fc.record(
      {
        kind: fc.constant('substrings' as const),
        type: someType,
        initial: part,
        any: fc.array(part, { maxLength: 2 }),
        final: part,
      },
      { requiredKeys: ['kind', 'type', 'initial', 'any'] },
    ),
    fc.record(
      {
        kind: fc.constant('extensible' as const),
        rule: fc.constantFrom('caseExactMatch', '2.5.13.5'),
        type: someType,
        value,
        ofDn: fc.boolean(),
      },
      { requiredKeys: ['kind', 'value', 'ofDn', ...(hasTypes ? (['type'] as const) : [])] },
    ),
  )
  return fc.letrec<{ whole: Filter }>((tie) => ({
    whole: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        filters: fc.array(tie('whole'), { maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('not' as const), filter: tie('whole') }),
    ),
  })).whole
}
