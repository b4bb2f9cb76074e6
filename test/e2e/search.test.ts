import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { JAPANESE_MAILS } from '#test/fake/japanese-mails.ts'
import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { descendants } from './processes.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'

describe('search of an installation', () => {
  let watari: Installation
  let imap: RawImap
  let client: JmapClient
  before(async () => {
    watari = await install()
    imap = await rawImap(watari, 'hanako')
    client = await jmap(watari, 'hanako')
    for (const octets of JAPANESE_MAILS) assert.match(await imap.append('INBOX', octets), /OK/)
    await imap.command('SELECT INBOX')
  })
  after(async () => {
    imap?.close()
    await watari?.remove()
  })

  const byImap = async (keys: string): Promise<string> => {
    const answer = await imap.command(`SEARCH CHARSET UTF-8 ${keys}`)
    return /^\* SEARCH ?([\d ]*)/m.exec(answer)![1]!
  }
  const byJmap = async (text: string): Promise<number> =>
    (await client.call('Email/query', { filter: { text } })).ids.length as number

  /** Found by all that this file does to the index. */
  async function findsAll(): Promise<void> {
    assert.equal(await byImap('TEXT "会議"'), '1 2 3 4 5 6 7 8 9 11 12 13 14 15 17 18')
    assert.equal(await byImap('BODY "ｶｲｷﾞ"'), '16')
    assert.equal(
      await byImap('FROM "da@campus.exa"'),
      '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18',
    )
    assert.equal(await byImap('TEXT "無い言葉"'), '')
    assert.equal(await byJmap('会議'), 16)
    assert.equal(await byJmap('山田　太郎 お送りします'), 5)
  }
  const searchChild = () =>
    descendants(watari.pid()).find(({ command }) => command.includes('storage search'))

  it('finds a word of two characters in mail of every charset, by IMAP and JMAP', async () => {
    await findsAll()
    const shown = await watari.watari(['search', 'status', '--json'])
    const { accounts, emailsBehind, trouble } = JSON.parse(shown.stdout)
    assert.deepEqual(
      { accounts, emailsBehind, trouble },
      {
        accounts: 1,
        emailsBehind: 0,
        trouble: undefined,
      },
    )
  })

  it('marks what was found', async () => {
    const { ids } = await client.call('Email/query', { filter: { text: 'お送りします' } })
    const { list } = await client.call('SearchSnippet/get', {
      filter: { text: 'お送りします' },
      emailIds: ids,
    })
    assert.equal(list.length, 5)
    for (const { preview } of list) assert.match(preview, /<mark>お送りします<\/mark>/)
  })

  it('goes on when the process of the index is killed, and when its files are gone', async () => {
    await imap.append('INBOX', Buffer.from('Subject: late\r\n\r\n遅れた便り\r\n'))
    await imap.command('NOOP')
    const child = searchChild()
    assert.ok(child)
    process.kill(child.pid, 'SIGKILL')
    await findsAll()
    assert.equal(await byImap('BODY "遅れた"'), '20')
    const fts = join(watari.dir, 'store/fts')
    const [account] = readdirSync(fts).filter((name) => name.startsWith('a-'))
    for (const name of readdirSync(join(fts, account!))) rmSync(join(fts, account!, name))
    await findsAll()
    const rebuilt = await watari.watari(['search', 'rebuild', 'hanako@campus.example'])
    assert.equal(rebuilt.status, 0, rebuilt.stderr)
    await findsAll()
    assert.equal(await byImap('BODY "遅れた"'), '20')
  })

  it('knows what it has indexed after a restart', async () => {
    imap.close()
    await watari.stop()
    await watari.start()
    imap = await rawImap(watari, 'hanako')
    await imap.command('SELECT INBOX')
    await findsAll()
  })
})
