import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { PackedRows } from './packed-rows.ts'

/** One machine's run is another's. */
const SEED = 20_261_127

interface Row {
  readonly name: string
  readonly also: readonly string[]
  readonly note: string
  readonly group?: string
}

const KEYS = {
  nameOf: ({ name }: Row) => name,
  alsoOf: ({ also }: Row) => also,
  groups: 2,
  groupsOf: ({ group, note }: Row) => [group, note.slice(0, 1) || undefined],
}
const GROUPS = ['名簿', 'a', 'b']
const NOTES = ['渡', 'x']

/** The same as objects in two maps. */
class PlainRows {
  readonly rows = new Map<string, Row>()
  readonly #also = new Map<string, string>()

  find(key: string): Row | undefined {
    const name = this.#also.get(key)
    return name === undefined ? undefined : this.rows.get(name)
  }

  put(row: Row): void {
    this.delete(row.name)
    this.rows.set(row.name, row)
    for (const key of row.also) this.#also.set(key, row.name)
  }

  delete(name: string): void {
    for (const key of this.rows.get(name)?.also ?? [])
      if (this.#also.get(key) === name) this.#also.delete(key)
    this.rows.delete(name)
  }
}

const NAMES = [
  '花子',
  'taro',
  '渡り鳥 over the sea ÿ',
  '\ud83d',
  '',
  'a'.repeat(300),
  ...Array.from('bcdefghijk'),
]
const name = fc.constantFrom(...NAMES)
const row = fc.record(
  {
    name,
    also: fc.array(name, { maxLength: 4 }),
    // Some of them fill a chunk, and one is larger than a chunk.
    note: fc.constantFrom('', '渡り', '𠮷', 'x', 'é'),
    times: fc.constantFrom(1, 1, 1, 1, 60_000, 300_000),
    group: fc.constantFrom(...GROUPS, undefined),
  },
  { noNullPrototype: true },
)
const rowOf = ({
  note,
  times,
  group,
  ...rest
}: {
  readonly note: string
  readonly times: number
  readonly group: string | undefined
} & Omit<Row, 'note' | 'group'>): Row => ({
  ...rest,
  note: note.repeat(times),
  ...(group !== undefined && { group }),
})
const step = fc.oneof(
  { weight: 6, arbitrary: row.map((put) => ({ put })) },
  { weight: 3, arbitrary: name.map((remove) => ({ remove })) },
  { weight: 1, arbitrary: fc.constant('again' as const) },
)

describe('packed rows', () => {
  test('are found as objects in maps are, whatever came and went, also when they are taken up again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let packed = new PackedRows<Row>(KEYS)
        const plain = new PlainRows()
        for (const each of steps) {
          if (each === 'again') packed = new PackedRows(KEYS, packed.parts())
          else if ('put' in each) {
            packed.put(rowOf(each.put))
            plain.put(rowOf(each.put))
          } else {
            packed.delete(each.remove)
            plain.delete(each.remove)
          }
          assert.equal(packed.size, plain.rows.size)
        }
        // Compared as texts, so that a difference of megabytes is not printed.
        const same = (a: unknown, b: unknown): void =>
          assert.ok(JSON.stringify(a) === JSON.stringify(b))
        for (const key of NAMES) {
          same(packed.get(key), plain.rows.get(key))
          same(packed.find(key), plain.find(key))
        }
        const byName = (a: Row, b: Row): number => (a.name < b.name ? -1 : 1)
        const all = [...plain.rows.values()].toSorted(byName)
        same(packed.values().toArray().toSorted(byName), all)
        for (const [place, groups] of [GROUPS, NOTES].entries())
          for (const group of groups) {
            const those = all.filter((each) => KEYS.groupsOf(each)[place] === group)
            same(packed.inGroup(place, group).toArray().toSorted(byName), those)
            assert.equal(packed.countOf(place, group), those.length)
          }
      }),
      { seed: SEED },
    )
  })

  test('what was taken for a snapshot stays as it was, whatever changes afterwards', () => {
    const packed = new PackedRows<Row>(KEYS)
    const put = (number: number, note: string): void =>
      packed.put({ name: `u${number}`, also: [`住所${number}`], note })
    for (let i = 0; i < 5_000; i++) put(i, '前'.repeat(100))
    const parts = packed.parts()
    for (let i = 0; i < 5_000; i += 2) put(i, '後'.repeat(150))
    for (let i = 1; i < 5_000; i += 2) packed.delete(`u${i}`)
    const before = new PackedRows(KEYS, parts)
    assert.equal(before.size, 5_000)
    for (let i = 0; i < 5_000; i++)
      assert.equal(before.find(`住所${i}`)?.note, '前'.repeat(100), String(i))
    assert.equal(packed.size, 2_500)
    for (let i = 0; i < 5_000; i++)
      assert.equal(packed.get(`u${i}`)?.note, i % 2 === 0 ? '後'.repeat(150) : undefined)
  })

  test('rows that change again and again take no more room than twice what they hold', () => {
    const packed = new PackedRows<Row>(KEYS)
    for (let round = 0; round < 40; round++)
      for (let i = 0; i < 1_000; i++)
        packed.put({ name: `u${i}`, also: [`a${i}-${round}`], note: `${round} `.repeat(200) })
    const { heap, also } = packed.parts()
    const octets = heap.chunks.reduce((sum, chunk) => sum + (chunk?.length ?? 0), 0)
    assert.ok(octets < 3_000_000, String(octets))
    assert.equal(also.count, 1_001) // and the first of their one group
    assert.equal(packed.find('a999-39')?.name, 'u999')
    assert.equal(packed.find('a999-38'), undefined)
  })
})
