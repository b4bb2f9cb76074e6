import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId } from './account.ts'
import {
  ALL_RIGHTS,
  parseRights,
  rightsFrom,
  showRights,
  withRights,
  withoutRights,
} from './acl.ts'
import type { AclEntry, Rights } from './acl.ts'

const rights = (text: string): Rights => parseRights(text)!

test('rights are read in any order, and once each (RFC 4314 §2.1)', () => {
  assert.equal(rights('aetxkpiwsrl'), ALL_RIGHTS)
  assert.equal(rights('rrl'), 'lr')
  assert.equal(rights(''), '')
  for (const text of ['lrz', 'L', 'n', '0', '読']) assert.equal(parseRights(text), undefined, text)
})

test('the obsolete rights stand for those that took their place (RFC 4314 §2.1.1)', () => {
  assert.equal(rights('lrc'), 'lrkx')
  assert.equal(rights('d'), 'te')
  assert.equal(showRights(rights('lr')), 'lr')
  assert.equal(showRights(rights('lrk')), 'lrkc')
  assert.equal(showRights(rights('e')), 'ed')
  assert.equal(showRights(ALL_RIGHTS), 'lrswipkxteacd')
})

test("an account has its own rights and everybody's, less what is taken away (RFC 4314 §2)", () => {
  const taro = 'taro' as AccountId
  const entries: AclEntry[] = [
    { who: 'anyone', rights: rights('lrs') },
    { who: taro, rights: rights('wi') },
    { who: '-taro', rights: rights('s') },
    { who: 'jiro' as AccountId, rights: rights('a') },
  ]
  assert.equal(rightsFrom(entries, taro), 'lrwi')
  assert.equal(rightsFrom(entries, 'jiro' as AccountId), 'lrsa')
  assert.equal(rightsFrom(entries, 'saburo' as AccountId), 'lrs')
  assert.equal(rightsFrom([...entries, { who: '-anyone', rights: rights('l') }], taro), 'rwi')
  assert.equal(withoutRights(withRights(rights('lr'), rights('te')), rights('rt')), 'le')
})
