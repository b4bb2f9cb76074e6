import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { startSink } from '#test/fake/smtp-sink.ts'
import type { Sink } from '#test/fake/smtp-sink.ts'

import { accessFaults, cutTexts, noBrowser, openBrowser, visit } from './browser.ts'
import type { Visitor } from './browser.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, smtpSend } from './mail.ts'

const PAGES = 'junk senders filters forwarding away address passwords script'.split(' ')
/** Where pictures of each page go, for people to look at; absent: none are taken. */
const PICTURES = process.env['WATARI_PICTURES']

const WRONG = `require ["fileinto", "vacation"];
# 教授会と研究科委員会のお知らせは、どちらも同じフォルダーにまとめておく。差出人ではなく、件名で見分ける。
if header :contains "subject" ["教授会", "研究科委員会"] {
  fileintoo "会議/教授会";
  stop;
}
vacation :days 0x7 "留守です";
`
const ASKS = `require "extlists";
if address :list "from" "tag:campus.example,2026:own/研究会でご一緒している先生方" { stop; }
`
const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`

describe("pages of one's own settings", { skip: noBrowser ?? false, concurrency: true }, () => {
  let watari: Installation
  let browser: Browser
  let sink: Sink
  before(async () => {
    ;[watari, browser, sink] = await Promise.all([install(), openBrowser(), startSink()])
    for (const args of [
      ['route', 'set', 'sink.example', `smtp:127.0.0.1:${sink.port}`],
      ['settings', 'set', 'ownAddress.who', '*'],
    ])
      assert.equal((await watari.watari(args)).status, 0)
  })
  after(async () => {
    await browser?.close()
    await watari?.remove()
    await sink?.close()
  })

  const send = (subject: string, to = 'hanako'): Promise<unknown> =>
    smtpSend(watari.port(25), {
      from: 'suzuki@sink.example',
      to: [`${to}@campus.example`],
      content: `From: ${word('鈴木')} <suzuki@sink.example>\r\nTo: ${to}@campus.example\r\nSubject: ${word(subject)}\r\n\r\nText\r\n`,
    })
  const enter = async ({ page, open }: Visitor, username: string): Promise<void> => {
    await open('/settings')
    await page.locator('input[autocomplete=username]').fill(username)
    await page.locator('input[autocomplete=current-password]').fill(watari.password(username))
    await page.keyboard.press('Enter')
    await page.locator('.settings').waitFor()
  }
  const told = (page: Page, text: string | RegExp) =>
    page.locator('.notice', { hasText: text }).last().waitFor()

  it('change what becomes of mail: junk, senders, filters, forwarding, an address', async () => {
    const visitor = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    const { page, faults } = visitor
    await enter(visitor, 'hanako')
    await page.goto(`https://localhost:${watari.port(443)}/`)
    await page.locator('.account summary').click()
    await page.getByRole('link', { name: '設定' }).click()
    await page.getByRole('heading', { name: '迷惑メール', level: 1 }).waitFor()

    const spam = page.getByRole('group', { name: '迷惑メール', exact: true })
    await spam.getByLabel('受信トレイ').check()
    await told(page, '届け先を変更しました')
    await page.getByRole('button', { name: '元に戻す' }).click()
    await told(page, '元に戻しました')
    assert.ok(await spam.getByLabel(/SPAM フォルダー/).isChecked())

    await page.getByRole('link', { name: '差出人' }).click()
    const blocked = page.getByRole('region', { name: '受け取りたくない差出人' })
    await blocked.getByLabel('追加する差出人').fill('@Ads.example 友＠b.example')
    await page.keyboard.press('Enter')
    await blocked.getByText('友@b.example').waitFor()
    await blocked.getByRole('button', { name: '友@b.example を削除' }).click()
    await told(page, '友@b.example を削除しました')
    assert.deepEqual(await blocked.getByRole('listitem').allInnerTexts(), ['ads.example\n削除'])
    // What is none is told where it stands, and stays there.
    await blocked.getByLabel('追加する差出人').fill('x@ bad.example')
    await page.keyboard.press('Enter')
    await blocked.getByText('bad.example').waitFor()
    await blocked.getByRole('alert').filter({ hasText: 'ドメインでもありません: x@' }).waitFor()
    assert.equal(await blocked.getByLabel('追加する差出人').inputValue(), 'x@')

    const lists = page.getByRole('region', { name: 'スクリプトで使うリスト' })
    await lists.getByLabel('新しいリストの名前').fill('研究/会')
    await page.keyboard.press('Enter')
    await lists.getByText(/「\/」は使えません/).waitFor()
    await lists.getByLabel('新しいリストの名前').fill('研究会')
    await page.keyboard.press('Enter')
    await told(page, 'リスト 研究会 を作りました')
    await lists.getByLabel('追加する差出人').fill('sato@a.example、b.example')
    await page.keyboard.press('Enter')
    await lists.getByText('sato@a.example').waitFor()
    await lists.getByText('"tag:campus.example,2026:own/研究会"').waitFor()
    await lists.getByRole('button', { name: 'リスト 研究会 を削除' }).click()
    await lists.getByText('まだありません。').waitFor()
    await page.getByRole('button', { name: '元に戻す' }).last().click()
    await lists.getByText('2 件').waitFor()

    await send('選んでください')
    await until('the first mail is there', async () => (await inBox('INBOX')) === 1)
    await page.getByRole('link', { name: '振り分け' }).click()
    await page.getByRole('button', { name: '振り分けを追加' }).click()
    await page.keyboard.type('選ぶもの')
    await page.getByLabel('1 番目の条件の項目').selectOption('subject')
    await page.getByLabel('1 番目の条件の値').fill('選んで')
    await page.getByLabel('このフォルダーに入れる').fill('選/択')
    await page.getByRole('button', { name: '最近のメールで試す' }).click()
    await page.getByText('最近の 1 通のうち 1 通が当てはまります。').waitFor()
    await page.getByRole('button', { name: '保存' }).click()
    await page.getByText('件名に「選んで」を含む → 「選/択」へ、ここで終わり').waitFor()
    await send('もう一度選んで')
    await until('it is filed', async () => (await inBox('選/択')) === 1)

    await page.getByRole('link', { name: '転送' }).click()
    await page.getByLabel('転送先のアドレス').fill('h@sink.example')
    await page.keyboard.press('Enter')
    await page.getByText('確認待ち').waitFor()
    await sink.seen(/RCPT TO:<h@sink/)
    await until('the mail with the code is there', () => codes().length === 1)
    await page.getByLabel('メールで届いた確認コード').fill(codes()[0]!.toLowerCase())
    await page.keyboard.press('Enter')
    await page.getByText('h@sink.example に転送しています。コピーがここに残ります。').waitFor()
    await send('転送されるもの')
    await until('it is sent on', () => to('h@sink.example').length === 2)
    // Taken back without another code.
    await page.getByRole('button', { name: 'h@sink.example を削除' }).click()
    await page.getByText('転送していません。').waitFor()
    await page.getByRole('button', { name: '元に戻す' }).last().click()
    await page.getByText('h@sink.example に転送しています。コピーがここに残ります。').waitFor()

    await page.getByRole('link', { name: 'アドレス' }).click()
    const own = page.getByRole('region', { name: '自分で選ぶアドレス' })
    await own.getByLabel('新しいアドレス').fill('postmaster')
    await page.keyboard.press('Enter')
    await told(page, /予約されています/)
    await own.getByLabel('新しいアドレス').fill('hana.yamada')
    await page.keyboard.press('Enter')
    await own.getByText('hana.yamada@campus.example').waitFor()
    await own.getByText(/次の変更は .* からできます。/).waitFor()
    await page.getByRole('link', { name: 'スクリプト' }).click()
    await page.locator('pre', { hasText: 'fileinto :create "選/択";' }).waitFor()
    assert.deepEqual(faults, [])
  })

  it('keep scripts of one’s own: checked by line, tried on mail, behind the settings', async () => {
    const visitor = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    const { page, faults } = visitor
    await enter(visitor, 'admin')
    const mail = (subject: string) => send(subject, 'admin')
    await mail('会議のお知らせ')
    await until('the first mail is there', async () => (await inBox('INBOX', 'admin')) === 1)
    await page.getByRole('link', { name: 'スクリプト' }).click()
    await page.getByText('自分のスクリプトは動いていません。').waitFor()
    await page.getByRole('button', { name: 'スクリプトを追加' }).click()
    // All of it by keyboard; Enter that ends a composition sends nothing.
    await page.keyboard.type('会議')
    const editor = page.getByLabel('スクリプト', { exact: true })
    const script = 'require ["fileinto", "mailbox"];\nif header :contains "subject" "会議" {\n'
    await editor.fill(`${script}  fileintoo :create "会議";\n}\n`)
    await page.getByText('「fileintoo」というコマンドはありません').waitFor()
    await page.getByText('誤りが 1 行あります。').waitFor()
    await page.getByRole('button', { name: '3 行目' }).press('Enter')
    const selected = () =>
      page.evaluate<string>(
        'document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)',
      )
    assert.equal(await selected(), '  fileintoo :create "会議";')
    assert.ok(await page.getByRole('button', { name: '保存' }).isDisabled())
    await page.keyboard.type('  fileinto :create "会議";')
    await page.getByText('誤りはありません').waitFor()
    await page.getByRole('button', { name: '最近のメールで試す' }).click()
    await page.getByText('最近の 1 通のうち 1 通に働きます。').waitFor()
    await page.locator('.fate', { hasText: '「会議」へ' }).waitFor()
    await editor.press('Control+s')
    await told(page, '会議 を保存しました')
    await page.getByRole('button', { name: '会議 を動かす' }).click()
    await told(page, '会議 が動き始めました')
    await page.getByText('スクリプト「会議」が動いています。').waitFor()
    await mail('次の会議')
    await until('it is filed', async () => (await inBox('会議', 'admin')) === 1)
    // It has an address, and comes back with it; what is changed elsewhere is not written over.
    assert.match(new URL(page.url()).pathname, /^\/settings\/script\/[0-9A-Za-z]+$/)
    await page.reload()
    await editor.waitFor()
    assert.equal((await watari.watari(['sieve', 'put', 'admin', '会議', '-'], 'keep;')).status, 0)
    await editor.fill(`${script}  keep;\n}\n`)
    await editor.press('Control+s')
    await told(page, '別の場所で変更されていました')
    await editor.press('Control+s')
    await told(page, '会議 を保存しました')
    assert.ok(await page.getByRole('button', { name: '会議 を削除' }).isDisabled())
    await page.getByRole('button', { name: '会議 を止める' }).click()
    await page.getByText('自分のスクリプトは動いていません。').waitFor()
    await page.getByRole('button', { name: '会議 を削除' }).click()
    await told(page, '会議 を削除しました')
    await page.getByRole('button', { name: '元に戻す' }).last().click()
    await page.getByRole('button', { name: '会議 を動かす' }).waitFor()
    assert.deepEqual(faults, [])
  })

  const inBox = async (name: string, username = 'hanako'): Promise<number> => {
    const client = await imap(watari, username)
    try {
      return await countOf(client, name).catch(() => 0)
    } finally {
      await client.logout()
    }
  }
  const to = (address: string): readonly string[] =>
    sink.mails
      .filter(({ rcpts }) => rcpts.some((line) => line.startsWith(`RCPT TO:<${address}>`)))
      .map(({ content }) => content.toString())
  const codes = (): readonly string[] =>
    to('h@sink.example').flatMap((content) => {
      const text = Buffer.from(content.split('\r\n\r\n')[1] ?? '', 'base64').toString()
      return /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec(text) ?? []
    })

  const CHOICES = {
    blocked: ['ads.example', 'a.very.long.name.of.a.sender@mail.of.a.long.domain.example'],
    lists: [
      { name: '研究会でご一緒している先生方', senders: ['sato@univ.example', 'lab.example'] },
      { name: 'friends', senders: [] },
    ],
    filters: [
      {
        name: '教授会と研究科委員会のお知らせをまとめるもの',
        match: 'any',
        conditions: [
          { field: 'subject', is: 'contains', value: '教授会' },
          { field: 'list', is: 'equals', value: 'kyoujukai.lists.campus.example' },
        ],
        folder: '会議/教授会',
        flags: ['flagged'],
        stop: true,
      },
      {
        name: 'Newsletters',
        match: 'all',
        conditions: [{ field: 'from', is: 'contains', value: 'news' }],
        folder: 'News',
        copy: true,
      },
    ],
  }
  for (const [language, username] of [
    ['ja', 'taro'],
    ['en', 'admin'],
  ] as const)
    it(`are seen whole on a telephone and a desk, light and dark (${language})`, async () => {
      const set = ['user', 'choices', username, '--set', '-']
      assert.equal((await watari.watari(set, JSON.stringify(CHOICES))).status, 0)
      const put = ['sieve', 'put', username, 'asks', '-']
      assert.equal((await watari.watari(put, ASKS)).status, 0)
      const visitor = await visit(browser, watari, { language, scheme: 'light' })
      const { page } = visitor
      await enter(visitor, username)
      const found: string[] = []
      for (const name of language === 'ja'
        ? PAGES
        : ['senders', 'filters', 'away', 'address', 'script']) {
        await page.setViewportSize({ width: 1280, height: 800 })
        await page.emulateMedia({ colorScheme: 'light' })
        await page.goto(`https://localhost:${watari.port(443)}/settings/${name}`)
        await page.locator('h1').waitFor()
        if (name === 'forwarding' || name === 'address') await ask(page, name)
        if (name === 'script') await writeScript(page)
        if (name === 'senders') await openList(page)
        if (name === 'filters') await page.locator('.filters .acts button').nth(2).click()
        found.push(...(await looked(page, `${language}-${name}-desk`)))
        await page.setViewportSize({ width: 390, height: 844 })
        await page.emulateMedia({ colorScheme: 'dark' })
        await page.locator('html[data-mantine-color-scheme=dark]').waitFor()
        found.push(...(await looked(page, `${language}-${name}-phone`)))
      }
      assert.deepEqual(found, [])
    })

  /** An address that waits for its code. */
  const ask = async (page: Page, name: 'forwarding' | 'address'): Promise<void> => {
    await page.locator('input[placeholder="hanako@example.org"]').fill(`${name}@sink.example`)
    await page.keyboard.press('Enter')
    await page.locator('.mark-warn').waitFor()
  }
  /** A list that a script asks. */
  const openList = async (page: Page): Promise<void> => {
    await page.locator('.own-list summary').first().click()
    await page.locator('.own-list[open]', { hasText: 'asks' }).waitFor()
  }
  /** One that is wrong, in an editor. */
  const writeScript = async (page: Page): Promise<void> => {
    await page.locator('section .answer').click()
    await page.locator('textarea').fill(WRONG)
    await page.locator('.line-note').first().waitFor()
  }
  const looked = async (page: Page, name: string): Promise<readonly string[]> => {
    if (PICTURES !== undefined) {
      mkdirSync(PICTURES, { recursive: true })
      await page.screenshot({ path: join(PICTURES, `settings-${name}.png`), fullPage: true })
    }
    const isRead = /ja-.*-desk|en-.*-phone/.test(name)
    const faults = [...(isRead ? await accessFaults(page) : []), ...(await cutTexts(page))]
    return faults.map((each) => `${name}: ${each}`)
  }
})
