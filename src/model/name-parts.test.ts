import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partsOf } from './name-parts.ts'

test('names come apart as they are written: the family first in the east, last in the west', () => {
  for (const [name, surname, givenName] of [
    ['山田 太郎', '山田', '太郎'],
    ['山田\u3000太郎', '山田', '太郎'],
    ['やまだ たろう', 'やまだ', 'たろう'],
    ['김 철수', '김', '철수'],
    ['Taro Yamada', 'Yamada', 'Taro'],
    ['Jean Luc Picard', 'Picard', 'Jean Luc'],
    ['Yamada, Taro Jiro', 'Yamada', 'Taro Jiro'],
    ['山﨑, 花', '山﨑', '花'],
    ['𠮷田 花', '𠮷田', '花'],
    ['総務課', '総務課', undefined],
    [' x ', 'x', undefined],
    ['a ,', ',', 'a'],
    ['', '', undefined],
  ] as const)
    assert.deepEqual(
      partsOf(name),
      { surname, ...(givenName !== undefined && { givenName }) },
      name,
    )
})
