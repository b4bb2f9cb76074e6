import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Verb } from './context.ts'
import { mailman3Lists } from './mailman3.ts'

const ANSWERS = join(import.meta.dirname, '../../../test/corpus/lists/mailman-3.3.8.json')
const PASSWORD = 'r&st<pass>'

describe('what a Mailman 3.3.8 has answered', () => {
  const server = createServer()
  let base = ''
  let answers: Record<string, unknown> = {}
  const told: string[] = []
  const verb = {
    io: { stdin: async () => fromUtf8(`${PASSWORD}\n`) },
    progress: (line: string) => void told.push(line),
  } as unknown as Verb
  before(async () => {
    answers = JSON.parse(await readFile(ANSWERS, 'utf8')) as Record<string, unknown>
    server.on('request', ({ url = '', headers }, response) => {
      const access = `Basic ${Buffer.from(`restadmin:${PASSWORD}`).toString('base64')}`
      const answer = answers[url.replace(/^\/3\.1/u, '')]
      response.statusCode =
        headers.authorization !== access ? 401 : answer === undefined ? 404 : 200
      response.end(JSON.stringify(answer ?? {}))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/3.1`
  })
  after(() => server.close())

  test('is read as lists with their members, who gets nothing among them', async () => {
    const { lists, faults } = await mailman3Lists(verb, base, { passwordStdin: true })
    assert.deepEqual(faults, [])
    assert.deepEqual(
      lists.map(({ address }) => address),
      ['bunka-2026', 'closed', 'seminar'].map((name) => `${name}@lists.campus.example`),
    )
    const [bunka, closed, seminar] = lists
    assert.deepEqual(
      seminar!.members.map(({ address, name, delivery }) => [address, name, delivery]),
      [
        ['digest@partner.example', 'まとめ', 'digest'],
        ['guest@partner.example', 'Zoë "Q" Guest', 'each'],
        ['hanako@campus.example', '山田 花子', 'each'],
        ['nobody+tag@else.example', undefined, 'each'],
        ["o'brien@partner.example", 'O’Brien', 'each'],
        ['off@partner.example', '休み', 'none'],
        ['sato.ken@campus.example', '佐藤 健', 'each'],
        ['takahashi@campus.example', '髙橋 舞', 'each'],
      ],
    )
    const { members, ...rules } = seminar!
    assert.equal(members.length, 8)
    assert.deepEqual(rules, {
      address: 'seminar@lists.campus.example',
      name: '物理学ゼミの連絡',
      description: '毎週木曜日\n髙橋研究室',
      owners: ['hanako@campus.example'],
      moderators: ['sato.ken@campus.example'],
      posting: 'members',
      others: 'refuse',
      subscription: 'approve',
      roster: 'owners',
      subjectTag: '[ゼミ:%n]',
      replyTo: 'list',
      archive: 'members',
      digest: 'day',
      sizeMaxBytes: 2_097_152,
      language: 'ja',
      nextNumber: 1,
      left: ['accept_these_nonmembers: 1 may post without being members'],
    })
    assert.equal(closed!.leaving, 'owners')
    assert.equal(closed!.roster, 'members')
    assert.equal(closed!.posting, 'moderated')
    assert.deepEqual(bunka!.left, [
      'accept_these_nonmembers: 1 may post without being members',
      'acceptable_aliases: fes@campus.example: what leads to the list is an alias here',
      'bans: 1 may not subscribe',
    ])
    assert.match(told.at(-1)!, /^3 of 3 read$/)
  })

  test('is asked for with the right password alone, and at the right place', async () => {
    await assert.rejects(mailman3Lists(verb, base, { passwordStdin: false }), /does not take/)
    await assert.rejects(
      mailman3Lists(verb, `${base}/here`, { passwordStdin: true }),
      /does not answer as Mailman 3 does/,
    )
  })
})
