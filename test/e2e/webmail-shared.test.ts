import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { noBrowser, openBrowser, visit } from './browser.ts'
import type { Visitor } from './browser.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { MAIL_WAYS } from './login-ways.ts'
import { lookFaults } from './page-looks.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'

const OK = /^t\d+ OK /m
const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
const minutes = (subject: string): Buffer =>
  Buffer.from(
    `From: ${word('佐藤 太郎')} <taro@campus.example>\r\nTo: office@campus.example\r\n` +
      `Subject: ${word(subject)}\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\n\r\n${subject}の議事録です。\r\n`,
  )

describe('mailboxes of others in the webmail', { skip: noBrowser ?? false }, () => {
  let watari: Installation
  let browser: Browser
  let owner: RawImap
  let user: Visitor
  let page: Page
  before(async () => {
    ;[watari, browser] = await Promise.all([install(), openBrowser()])
    owner = await rawImap(watari, 'taro')
    await owner.command('ENABLE IMAP4rev2')
    for (const name of ['会議', '資料']) assert.match(await owner.command(`CREATE ${name}`), OK)
    for (const subject of ['春の会議', '夏の会議', '秋の会議'])
      assert.match(await owner.append('会議', minutes(subject)), OK)
    user = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    page = user.page
    await user.open('/')
    await page.locator('input[autocomplete=username]').fill('hanako')
    await page.locator('input[autocomplete=current-password]').fill(watari.password('hanako'))
    await page.keyboard.press('Enter')
    await page.locator('.tree').waitFor()
  })
  after(async () => {
    owner?.close()
    await browser?.close()
    await watari?.remove()
  })

  const others = () => page.locator('.others')
  const box = (name: string) => others().locator('.box', { hasText: name })
  const row = (text: string) => page.locator('.row', { hasText: text })
  const tool = (name: string) => page.locator('.reader-tools').getByRole('button', { name })
  const share = async (name: string, rights: string): Promise<void> =>
    assert.match(await owner.command(`SETACL ${name} hanako ${rights}`), OK)
  /** What it has of the message, as its owner sees it. */
  const ownersFlags = async (): Promise<string> => {
    await owner.command('SELECT 会議')
    return owner.command('FETCH 1:* (FLAGS)')
  }

  it('appear by themselves once they are shared, and open a mail that stays unread for its owner', async () => {
    assert.equal(await others().count(), 0)
    await share('会議', 'lrs')
    await box('会議').waitFor()
    assert.match(
      await others().innerText(),
      /ほかの人のメールボックス\s+taro@campus\.example\s+会議\s*3/,
    )
    await box('会議').click()
    await row('春の会議').locator('a').click()
    await page.locator('.reader', { hasText: '春の会議の議事録です。' }).waitFor()
    await box('会議').locator('.count', { hasText: '2' }).waitFor()
    assert.doesNotMatch(await ownersFlags(), /\\Seen/)
    assert.deepEqual(await lookFaults(page, 'webmail-shared-ja'), [])
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  it('offer what its rights allow, and no more', async () => {
    await tool('未読').waitFor()
    for (const name of ['アーカイブ', '削除', 'スター'])
      assert.equal(await tool(name).count(), 0, name)
    assert.ok(await row('春の会議').locator('.row-star').isDisabled())
    await share('会議', 'lrswite')
    await tool('スター').click()
    await row('春の会議').locator('.row-starred').waitFor()
    assert.match(await ownersFlags(), /\\Flagged/)
  })

  it('take and give mail: moved from account to account, and deleted after a question', async () => {
    await share('資料', 'lrswi')
    await box('資料').waitFor()
    const move = async (from: string, to: RegExp): Promise<void> => {
      await row(from).locator('a').click()
      await page.locator('.reader', { hasText: from }).waitFor()
      await page.keyboard.press('v')
      await page.locator('dialog').getByRole('button', { name: to }).click()
      await page.locator('.told', { hasText: '移しました' }).waitFor()
    }
    await move('夏の会議', /^受信/)
    await row('夏の会議').waitFor({ state: 'detached' })
    await page.locator('.tree .box', { hasText: '受信' }).first().click()
    await move('夏の会議', /資料$/)
    await box('資料').click()
    await row('夏の会議').waitFor()
    assert.match(await owner.command('STATUS 会議 (MESSAGES)'), /MESSAGES 2/)
    assert.match(await owner.command('STATUS 資料 (MESSAGES)'), /MESSAGES 1/)
    await box('会議').click()
    await row('秋の会議').locator('a').click()
    await page.locator('.reader', { hasText: '秋の会議' }).waitFor()
    await page.keyboard.press('#')
    await page.locator('dialog').getByRole('button', { name: '削除' }).click()
    await row('秋の会議').waitFor({ state: 'detached' })
    // The page does not wait for the store.
    await until('it is gone from the store', async () =>
      /MESSAGES 1/.test(await owner.command('STATUS 会議 (MESSAGES)')),
    )
  })

  it('are searched where one looks, show what comes, and go when they are shared no more', async () => {
    assert.match(await owner.append('会議', minutes('冬の会議')), OK)
    await page.locator('.new-mail, .row:has-text("冬の会議")').first().waitFor()
    const field = page.locator('input[type=search]')
    await field.fill('議事録')
    await field.press('Enter')
    await row('夏の会議').waitFor()
    await row('冬の会議').waitFor()
    await page.goBack()
    await share('会議', '""')
    await share('資料', '""')
    await others().waitFor({ state: 'detached' })
    assert.deepEqual(user.faults, [])
  })

  it('gives programs passwords of their own, and takes them back', async () => {
    await page.locator('.account summary').click()
    await page.getByRole('button', { name: 'アプリパスワード…' }).click()
    const dialog = page.getByRole('dialog', { name: 'アプリパスワード' })
    await dialog.getByText('まだありません。').waitFor()
    const make = async (password: string): Promise<void> => {
      await dialog.getByLabel('メールソフトや機器の名前').fill('電話 📱')
      await dialog.getByLabel('ご自分のパスワード').fill(password)
      await dialog.getByRole('button', { name: 'パスワードを作る' }).click()
    }
    await make('wrong')
    await dialog.getByText('ご自分のパスワードが違います。').waitFor()
    await make(watari.password('hanako'))
    const password = await dialog.locator('code').textContent()
    assert.match(password ?? '', /^(?:[a-z2-9]{5}-){3}[a-z2-9]{5}$/)
    assert.deepEqual(await lookFaults(page, 'webmail-app-passwords-ja'), [])
    const { 'POP3 USER and PASS': pop3 } = MAIL_WAYS
    const login = (): Promise<string> =>
      pop3!(watari, { user: 'hanako', password: Buffer.from(password ?? '') })
    await until('it lets in', async () => (await login()) === 'ok')
    await dialog.getByRole('button', { name: '電話 📱 のパスワードを取り消す' }).click()
    await dialog.getByRole('button', { name: /^本当に取り消す: 電話 📱/ }).click()
    await dialog.getByText('まだありません。').waitFor()
    await until('it lets nobody in', async () => (await login()).startsWith('-ERR [AUTH]'))
  })
})
