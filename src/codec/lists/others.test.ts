import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { listOfFml } from './fml.ts'
import { listOfMailman3 } from './mailman3.ts'
import { listOfSympa } from './sympa.ts'

const eucJp = (hex: string) => Buffer.from(hex, 'hex')

describe('a list of fml 4', () => {
  it('is read from its files', () => {
    const config = `# $Id$
$DOMAINNAME = "campus.example";
$MAIL_LIST  = "elena@$DOMAINNAME";
$MAINTAINER = 'elena-admin@campus.example';
$LANGUAGE   = "Japanese";
$PERMIT_POST_FROM    = "members_only";
$REJECT_POST_HANDLER = "reject";
$AUTO_REGISTRATION_TYPE = "confirmation";
$SUBJECT_TAG_TYPE = "[:]";
$BRACKET = 'Elena';
$INCOMING_MAIL_SIZE_LIMIT = '500K';
$START_HOOK = q#system("touch /tmp/x");#;
1;
`
    const read = listOfFml({
      config: fromUtf8(config),
      actives: Buffer.concat([
        fromUtf8('# 配送先\n##\nhanako@campus.example\ntaro@campus.example\tm=3u\n'),
        fromUtf8('skipped@campus.example s=skip # '),
        eucJp('b2d6bbd2'),
        fromUtf8('\n'),
      ]),
      members: fromUtf8('hanako@campus.example\nTaro@campus.example\nposts@campus.example\n'),
      moderators: fromUtf8('hanako@campus.example\n'),
      admins: fromUtf8('taro@campus.example\n'),
      seq: fromUtf8('1233\n'),
    })
    assert.deepEqual(read, {
      ok: true,
      value: {
        address: 'elena@campus.example',
        owners: ['taro@campus.example'],
        moderators: ['hanako@campus.example'],
        members: [
          { address: 'hanako@campus.example', delivery: 'each' },
          { address: 'taro@campus.example', delivery: 'digest' },
          { address: 'skipped@campus.example', delivery: 'none' },
          { address: 'posts@campus.example', delivery: 'none' },
        ],
        posting: 'members',
        others: 'refuse',
        subscription: 'confirm',
        subjectTag: '[Elena:%n]',
        replyTo: 'list',
        archive: 'members',
        sizeMaxBytes: 512_000,
        language: 'ja',
        nextNumber: 1234,
        left: ['$START_HOOK: programs of config.ph are never run'],
      },
    })
    assert.equal(listOfFml({ config: fromUtf8('1;') }).ok, false)
  })
})

describe('a list of Sympa 6', () => {
  it('is read from its files', () => {
    const config = `subject 経済学ゼミ

lang ja

owner
email hanako@campus.example
gecos 山田 花子
profile privileged

owner
email taro@campus.example

editor
email ichiro@campus.example

send privateoreditorkey

subscribe auth_owner

custom_subject [% list.name %]:[%list.sequence%]

reply_to_header
apply forced
value list

archive
web_access private
period month

digest 1,4 6:56

max_size 1048576

include_ldap_query
host ldap.campus.example
filter (ou=経済学部)
`
    const members = `email hanako@campus.example
gecos 山田 花子
reception mail
date 1500000000

email jiro@elsewhere.example
reception digest

email away@campus.example
reception nomail

email suspended@campus.example
suspend 1
`
    const read = listOfSympa({
      nowMs: 1_700_000_000_000,
      name: 'Seminar',
      host: 'lists.campus.example',
      config: fromUtf8(config),
      members: fromUtf8(members),
      stats: fromUtf8('1233 5678 90 12 0 0\n'),
    })
    assert.deepEqual(read, {
      ok: true,
      value: {
        address: 'seminar@lists.campus.example',
        name: '経済学ゼミ',
        owners: ['hanako@campus.example', 'taro@campus.example'],
        moderators: ['ichiro@campus.example'],
        members: [
          { address: 'hanako@campus.example', name: '山田 花子', delivery: 'each' },
          { address: 'jiro@elsewhere.example', delivery: 'digest' },
          { address: 'away@campus.example', delivery: 'none' },
          { address: 'suspended@campus.example', delivery: 'none' },
        ],
        posting: 'members',
        others: 'hold',
        subscription: 'approve',
        subjectTag: '[Seminar:%n]',
        replyTo: 'list',
        archive: 'members',
        digest: 'day',
        sizeMaxBytes: 1_048_576,
        language: 'ja',
        nextNumber: 1234,
        left: [
          'include_ldap_query: members are taken from elsewhere ((ou=経済学部)); add a filter, a group or a list',
        ],
      },
    })
  })
})

const CORPUS = join(import.meta.dirname, '../../../test/corpus/lists/sympa-6.2.70')

describe('lists that Sympa 6.2.70 has dumped', () => {
  const listOf = (name: string, nowMs: number) => {
    const file = (of: string): Octets => readFileSync(join(CORPUS, name, of))
    const read = listOfSympa({
      name,
      nowMs,
      config: file('config'),
      info: file('info'),
      members: file('member.dump'),
      owners: file('owner.dump'),
      editors: file('editor.dump'),
    })
    assert.ok(read.ok)
    return read.value
  }

  it('are read with their descriptions, and in the language of their words', () => {
    assert.deepEqual(listOf('zemi', 0), {
      address: 'zemi',
      name: '経済学ゼミ & 研究会',
      description: '毎週木曜日\n髙橋研究室',
      owners: ['hanako@campus.example'],
      moderators: [],
      members: [
        { address: 'guest@partner.example', name: 'Zoë "Q" Guest', delivery: 'digest' },
        { address: 'hanako@campus.example', name: '山田 花子', delivery: 'each' },
        { address: 'nobody@else.example', delivery: 'none' },
        { address: 'sato.ken@campus.example', name: '佐藤 健', delivery: 'each' },
      ],
      posting: 'members',
      others: 'hold',
      subscription: 'open',
      roster: 'owners',
      replyTo: 'author',
      archive: 'public',
      digest: 'day',
      language: 'ja',
      left: ['topics: education'],
    })
  })

  it('have members whose posts wait until a day, and come again after it', () => {
    const u1 = (nowMs: number) => listOf('news', nowMs).members[0]
    assert.deepEqual(u1(1_800_000_000_000), { address: 'u1@campus.example', delivery: 'none' })
    assert.deepEqual(u1(1_900_000_001_000), { address: 'u1@campus.example', delivery: 'each' })
    assert.equal(listOf('news', 0).posting, 'moderated')
    assert.equal(listOf('news', 0).language, 'en')
  })
})

describe('a list of Mailman 3', () => {
  const config = {
    fqdn_listname: 'Seminar@lists.campus.example',
    display_name: 'Seminar',
    description: '経済学ゼミ',
    subject_prefix: '[seminar %05d] ',
    post_id: 1234,
    default_nonmember_action: 'reject',
    subscription_policy: 'confirm_then_moderate',
    reply_goes_to_list: 'point_to_list',
    archive_policy: 'private',
    max_message_size: 40,
    preferred_language: 'ja',
    http_etag: 'x',
  }

  it('is read from what its API says', () => {
    const read = listOfMailman3({
      config,
      members: [
        { email: 'hanako@campus.example', display_name: '山田 花子', delivery_mode: 'regular' },
        { email: 'jiro@x.example', delivery_mode: 'mime_digests', moderation_action: 'hold' },
      ],
      owners: [{ email: 'taro@campus.example' }],
      moderators: [],
    })
    assert.deepEqual(read, {
      ok: true,
      value: {
        address: 'seminar@lists.campus.example',
        name: '経済学ゼミ',
        owners: ['taro@campus.example'],
        moderators: [],
        members: [
          { address: 'hanako@campus.example', name: '山田 花子', delivery: 'each' },
          { address: 'jiro@x.example', delivery: 'digest', isModerated: true },
        ],
        posting: 'members',
        others: 'refuse',
        subscription: 'approve',
        roster: 'owners',
        subjectTag: '[seminar %n]',
        replyTo: 'list',
        archive: 'members',
        digest: 'day',
        sizeMaxBytes: 40_960,
        language: 'ja',
        nextNumber: 1234,
        left: [],
      },
    })
  })

  it('is none where the answer is something else', () => {
    const none = { members: [], owners: [], moderators: [] }
    assert.equal(listOfMailman3({ config: { title: '404 Not Found' }, ...none }).ok, false)
  })
})
