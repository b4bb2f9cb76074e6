import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compiledSieve } from './compiled-sieve.ts'

const long = (name: string): string => `# ${name} ${'長'.repeat(1_000_000)}\nkeep;`

describe('compiled scripts', () => {
  it('are compiled once, faults and all', () => {
    const text = 'require "fileinto"; fileinto "会議";'
    assert.equal(compiledSieve(text), compiledSieve(text))
    assert.ok(compiledSieve(text).ok)
    assert.equal(compiledSieve('無い;'), compiledSieve('無い;'))
    assert.equal(compiledSieve('無い;').ok, false)
  })

  it('are forgotten where there are too many, the one used longest ago first', () => {
    const first = compiledSieve(long('一'))
    const second = compiledSieve(long('二'))
    compiledSieve(long('三'))
    assert.equal(compiledSieve(long('一')), first)
    compiledSieve(long('四'))
    compiledSieve(long('五'))
    assert.equal(compiledSieve(long('一')), first)
    assert.notEqual(compiledSieve(long('二')), second)
  })
})
