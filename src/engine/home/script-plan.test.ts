import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountId } from '#model/account.ts'
import type { ScriptEntry } from '#model/script.ts'
import { planScripts } from './script-plan.ts'
import type { MetScript } from './script-plan.ts'

const ours = (id: string, more: Partial<ScriptEntry> = {}): ScriptEntry => ({
  id,
  name: `名${id}`,
  active: false,
  sizeBytes: 5,
  digest: 'd',
  ...more,
})
const theirs = (id: string, more: Partial<MetScript> = {}): MetScript => ({
  uuid: `uuid-${id}`,
  dn: `watariScriptId=${id}`,
  accountId: '花子' as AccountId,
  id,
  name: `名${id}`,
  active: false,
  csn: '1',
  modifier: 'cn=admin',
  digest: 'd',
  text: 'keep;',
  ...more,
})

/** In short: what is taken, what is written, what is noted. */
const planned = (
  here: readonly ScriptEntry[],
  there: readonly MetScript[],
  as: { readonly known?: readonly string[]; readonly prefers?: 'here' | 'there' } = {},
) => {
  const { known = [], prefers = 'here' } = as
  const plan = planScripts({ here, there, known: known.map((id) => ({ id })), prefers })
  return {
    takes: plan.takes.map(({ change }) => `${change.kind} ${change.id}`),
    writes: plan.writes.map(({ write }) =>
      'gone' in write ? `gone ${write.id}` : `${write.id} ${write.name} ${write.active}`,
    ),
    notes: [...plan.notes.keys()],
    removals: plan.removals,
  }
}
const NOTHING = { takes: [], writes: [], notes: [], removals: 0 }

describe('the plan that makes scripts alike', () => {
  it('is none where they are', () => {
    const [here, there] = [
      [ours('a', { active: true }), ours('b')],
      [theirs('a', { active: true }), theirs('b')],
    ]
    assert.deepEqual(planned(here, there), NOTHING)
    assert.deepEqual(planned(here, there, { known: ['a', 'b'] }), NOTHING)
    assert.deepEqual(planned([], []), NOTHING)
    assert.deepEqual(planned([], [], { known: ['gone'] }), NOTHING)
  })

  it('loses nothing at a first meeting, and asks whose word counts where both have one', () => {
    const here = [ours('a', { active: true, digest: 'here' }), ours('b')]
    const there = [theirs('a'), theirs('c', { active: true })]
    assert.deepEqual(planned(here, there), {
      ...NOTHING,
      takes: ['put c'],
      writes: ['a 名a true', 'b 名b false', 'c 名c false'],
    })
    assert.deepEqual(planned(here, there, { prefers: 'there' }), {
      ...NOTHING,
      takes: ['put a', 'put c', 'activate c'],
      writes: ['b 名b false'],
    })
    // A store that has nothing has no word.
    assert.deepEqual(planned([], there).takes, ['put a', 'put c', 'activate c'])
  })

  it('is the word of the home once they have met', () => {
    const known = ['a', 'b', 'c']
    const here = [ours('a', { active: true }), ours('b'), ours('d')]
    const there = [theirs('a', { digest: 'new', name: '新' }), theirs('c', { active: true })]
    assert.deepEqual(planned(here, there, { known }), {
      takes: ['put a', 'put c', 'activate c', 'remove b'],
      writes: ['d 名d false'],
      notes: [],
      removals: 1,
    })
    assert.deepEqual(planned([ours('a')], [theirs('a', { name: '新' })], { known }).takes, [
      'rename a',
    ])
    assert.deepEqual(planned([ours('a', { active: true })], [theirs('a')], { known }).takes, [
      'activate null',
    ])
  })

  it('has the one filter that was switched on last, and the others no more', () => {
    const here = [ours('a', { active: true }), ours('b')]
    const there = [theirs('a', { active: true }), theirs('b', { active: true, csn: '2' })]
    assert.deepEqual(planned(here, there, { known: ['a', 'b'] }), {
      ...NOTHING,
      takes: ['activate b'],
      writes: ['a 名a false'],
    })
  })

  it('puts what does not compile in the place of nothing, and never on duty', () => {
    const known = ['a', 'b']
    const here = [ours('a', { active: true }), ours('b')]
    const broken = { broken: 'line 1', digest: 'new', csn: '2' }
    assert.deepEqual(
      planned(here, [theirs('a', { ...broken, active: true }), theirs('b')], { known }),
      { ...NOTHING, notes: ['a'] },
    )
    assert.deepEqual(
      planned(here, [theirs('a', { active: true }), theirs('b', { ...broken, active: true })], {
        known,
      }),
      { ...NOTHING, notes: ['b'] }, // what filtered goes on to
    )
    // One that is there alone is kept all the same, and stays off once it is here.
    const alone = [theirs('c', { ...broken, active: true })]
    assert.deepEqual(planned([], alone), { ...NOTHING, takes: ['put c'], notes: ['c'] })
    assert.deepEqual(planned([ours('c', { digest: 'new' })], alone, { known: ['c'] }), {
      ...NOTHING,
      notes: ['c'],
    })
  })

  it('takes no name that another has, no id that JMAP cannot tell, nothing that is no text', () => {
    const known = ['a', 'b']
    const here = [ours('a'), ours('b')]
    const all = [theirs('a'), theirs('b')]
    const also = (more: MetScript) => planned(here, [...all, more], { known })
    assert.deepEqual(also(theirs('c', { name: '名a' })), { ...NOTHING, notes: ['c'] })
    assert.deepEqual(also(theirs('c', { name: 'a\tb' })), { ...NOTHING, notes: ['c'] })
    assert.deepEqual(also(theirs('c d')), { ...NOTHING, notes: ['c d'] })
    assert.deepEqual(also(theirs('c', { impossible: '' })), { ...NOTHING, notes: ['c'] })
    const twice = [theirs('c', { name: '同' }), theirs('d', { name: '同' })]
    assert.deepEqual(planned([], twice), { ...NOTHING, takes: ['put c'], notes: ['d'] })
  })

  it('takes two that were made in each place under one name for one', () => {
    const here = [ours('a', { name: 'が' })]
    const same = [theirs('x', { name: 'か\u3099' })]
    assert.deepEqual(planned(here, same), {
      ...NOTHING,
      writes: ['a が false', 'gone x'],
    })
    const other = [theirs('x', { name: 'が', digest: 'new', active: true })]
    assert.deepEqual(planned(here, other, { prefers: 'there' }).takes, ['put a', 'activate a'])
  })
})
