import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeDirectory, fakeList } from '#test/fake/directory.ts'
import { readPasted, whoIs } from './pasted.ts'

const D = 'campus.example'
const person = (username: string, name: string, reading?: string): DirectoryRow => ({
  kind: 'account',
  account: { ...fakeAccount(`${username}@${D}`), name, ...(reading !== undefined && { reading }) },
})
const directory = fakeDirectory([
  { kind: 'domain', domain: { name: D } },
  { kind: 'domain', domain: { name: `lab.${D}`, convertTo: D } },
  person('s2100123', '渡辺 花子', 'わたなべ はなこ'),
  person('taro', '髙橋太郎'),
  person('taro2', '高橋 太郎'),
  person('jiro', 'Jirō Suzuki'),
  { kind: 'account', account: { ...fakeAccount(`gone@${D}`), deletedAt: '2026-11-01T00:00:00Z' } },
  { kind: 'list', list: fakeList(`ゼミ@${D}`) },
  {
    kind: 'alias',
    alias: { from: addr(`staff@${D}`), to: [addr(`taro@${D}`), addr(`jiro@${D}`)] },
  },
  { kind: 'alias', alias: { from: addr(`info@${D}`), to: [addr(`jiro@${D}`)] } },
])
const told = async (text: string): Promise<readonly string[]> =>
  (await readPasted(text, directory)).map(({ line, text: cell, meant }) => {
    if (meant.kind === 'unclear')
      return `${line} ${cell}: ${meant.candidates.length} people${meant.isPart === true ? ' in part' : ''}`
    if (meant.kind === 'unknown') return `${line} ${cell}: ${meant.why}`
    const { who } = meant
    if (who.kind === 'filter') return 'filter'
    return `${line} ${who.kind} ${'id' in who ? who.id.replace('id-', '').replace(`@${D}`, '') : `${who.address.localpart}@${who.address.domain}`}`
  })

describe('pasted text', () => {
  test('names people by user name, address, name and reading, in letters of any width', async () => {
    assert.deepEqual(
      await told(
        [
          'S2100123',
          'ｓ２１００１２３',
          '渡邊花子',
          'ワタナベ　ハナコ',
          `"渡辺 花子" <s2100123＠lab.${D}>`,
          'jiro suzuki',
          '',
          `Taro+list@${D.toUpperCase()}`,
        ].join('\r\n'),
      ),
      [1, 2, 3, 4, 5]
        .map((line) => `${line} account s2100123`)
        .concat(['6 account jiro', '8 account taro']),
    )
  })

  test('a name of several people is unclear, and one of nobody unknown; nothing is guessed', async () => {
    assert.deepEqual(await told('高橋太郎\n誰か\nnobody@campus.example\ngone\n山田'), [
      '1 高橋太郎: 2 people',
      '2 誰か: nobody',
      '3 nobody@campus.example: noAddress',
      '4 gone: deleted',
      '5 山田: nobody',
    ])
  })

  test('a title changes nothing, and a part of a name tells who bears it, but adds nobody', async () => {
    assert.deepEqual(
      await told(
        '渡邊　花子 先生\nProf. Suzuki Jirō\nDr Jiro Suzuki\n高橋太郎様\n渡辺\nはなこさん\n高橋\nSuzuki\n花',
      ),
      [
        '1 account s2100123',
        '2 Prof. Suzuki Jirō: nobody',
        '3 account jiro',
        '4 高橋太郎様: 2 people',
        '5 渡辺: 1 people in part',
        '6 はなこさん: 1 people in part',
        '7 高橋: 2 people in part',
        '8 Suzuki: 1 people in part',
        '9 花: nobody',
      ],
    )
  })

  test('family and given name may stand in two cells, in either order', async () => {
    assert.deepEqual(
      await told(
        '1\t渡辺\t花子\tわたなべ\tはなこ\t2年\nSuzuki, Jirō\n高橋\t太郎\t情報工学\n高橋\t総務課\n渡辺、鈴木',
      ),
      [
        '1 account s2100123',
        '2 account jiro',
        '3 高橋 太郎: 2 people',
        '4 高橋: 2 people in part',
        '5 渡辺: 1 people in part',
        '5 鈴木: nobody',
      ],
    )
  })

  test('several in a line are each meant; a row of a spreadsheet is about one', async () => {
    assert.deepEqual(await told('taro, jiro；s2100123、誰か'), [
      '1 account taro',
      '1 account jiro',
      '1 account s2100123',
      '1 誰か: nobody',
    ])
    assert.deepEqual(await told('情報工学\t高橋太郎\ttaro2\t3年\n\t渡辺 花子\t総務'), [
      '1 account taro2',
      '2 account s2100123',
    ])
    assert.deepEqual(await told(`高橋 太郎,taro@${D}`), ['1 account taro'])
  })

  test('lists, groups and addresses elsewhere are meant as such; an alias of one is that one', async () => {
    assert.deepEqual(
      await told(`ゼミ@${D}\nstaff\ninfo@lab.${D}\n田中 <Tanaka@Else.example>\nゼミ-owner@${D}`),
      [
        '1 list ゼミ',
        `2 group staff@${D}`,
        '3 account jiro',
        '4 address Tanaka@else.example',
        `5 ゼミ-owner@${D}: noAddress`,
      ],
    )
  })

  test('one text alone is found by the same', async () => {
    assert.equal((await whoIs(' 渡辺花子 ', directory)).kind, 'member')
    assert.equal((await whoIs('高橋太郎', directory)).kind, 'unclear')
    assert.equal((await whoIs('x'.repeat(2_000), directory)).kind, 'unknown')
  })
})
