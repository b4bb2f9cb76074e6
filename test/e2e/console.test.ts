import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { noBrowser, openBrowser, visit } from './browser.ts'
import type { Visitor } from './browser.ts'
import { loginConsole } from './console-login.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { smtpSend } from './mail.ts'

const NETWORKS = 100_000
const FIRST_LOAD_BYTES_MAX = 300_000
const HOSTILE = '<img src=x onerror=alert(1)>'

let it: Installation
let browser: Browser
let admin: Visitor

const login = (visitor: Visitor, password = it.password('admin')): Promise<void> =>
  loginConsole(visitor, password)

const said = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('.notice', { hasText: text }).last().waitFor()

const send = (to: string, from: string, subject: string): Promise<string> =>
  smtpSend(it.port(25), {
    from,
    to: [to],
    content: `From: ${HOSTILE} <${from}>\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\nDate: ${new Date().toUTCString()}\r\n\r\nこんにちは\r\n`,
  })

describe('the console', { skip: noBrowser ?? false }, () => {
  before(async () => {
    it = await install()
    await it.watari(['alias', 'add', 'far', 'someone@far.example'])
    await it.watari(['route', 'set', 'far.example', 'hold'])
    assert.match(await send('hanako@campus.example', '"<b>bold</b>"@example.org', 'kaigi'), /^250/)
    for (const name of ['one', 'two', 'three'])
      assert.match(await send('far@campus.example', `${name}@example.org`, name), /^250/)
    browser = await openBrowser()
    admin = await visit(browser, it, { language: 'en', scheme: 'light' })
  })
  after(async () => {
    await browser?.close()
    await it?.remove()
  })

  test('lets administrators in, and says in words why it lets nobody else in', async () => {
    await login(admin, 'wrong')
    await admin.page.getByRole('alert').filter({ hasText: 'is wrong' }).waitFor()
    let bytes = 0
    admin.page.on('response', (response) => {
      bytes += Number(response.headers()['content-length'] ?? 0)
    })
    await login(admin)
    await admin.page.locator('.corridor').waitFor()
    assert.ok(bytes > 50_000 && bytes < FIRST_LOAD_BYTES_MAX, `first load: ${bytes} octets`)
    const [cookie] = await admin.context.cookies()
    assert.deepEqual([cookie?.httpOnly, cookie?.secure, cookie?.sameSite], [true, true, 'Strict'])
    const other = await visit(browser, it, { language: 'ja', scheme: 'dark' })
    await login(other)
    await other.page.locator('.corridor').waitFor()
    await other.page.getByRole('button', { name: 'ログアウト' }).click()
    await other.page.getByLabel('ユーザー名').waitFor()
    const status = await other.page.evaluate(async () => (await fetch('/api/v1/nodes')).status)
    assert.equal(status, 401)
    assert.deepEqual(other.faults, [])
    await other.context.close()
  })

  test('the overview shows the way of mail with what is at each station', async () => {
    const { page } = admin
    await page.locator('.station', { hasText: 'Reception' }).filter({ hasText: '4' }).waitFor()
    await page.locator('.station', { hasText: 'Mailbox' }).filter({ hasText: '1' }).waitFor()
    await page.locator('.station', { hasText: 'Queue' }).filter({ hasText: 'held 3' }).waitFor()
    assert.match(await page.locator('.answer').innerText(), /3 recipients are held/)
  })

  test('the overview tells of a directory that is away', async () => {
    const { page, open } = admin
    const add = ['directory', 'sources', 'add', 'library']
    const where = ['--url', 'ldap://127.0.0.1:1', '--base', 'dc=library']
    assert.equal((await it.watari([...add, ...where])).status, 0)
    await open('/console')
    await page.getByRole('heading', { name: 'Directories that want somebody' }).waitFor()
    await page.getByRole('link', { name: 'library' }).click()
    await page.getByRole('complementary').getByText('library').first().waitFor()
    await it.watari(['directory', 'sources', 'rm', 'library'])
  })

  test('a trace answers in a sentence first; what others wrote is text, never markup', async () => {
    const { page, open } = admin
    await open('/console/trace')
    await page.keyboard.press('/')
    await page.keyboard.type('hanako@campus.example')
    await page.keyboard.press('Enter')
    const answer = page.locator('.told .answer')
    await answer.filter({ hasText: 'Delivered to INBOX of hanako@campus.example' }).waitFor()
    assert.match(page.url(), /\/console\/trace\?q=hanako%40campus\.example/)
    await page.getByText('"<b>bold</b>"@example.org').first().waitFor()
    await page.locator('summary').click()
    await page.locator('.events', { hasText: 'receive.accepted' }).waitFor()
    await open(`/console/trace?q=${encodeURIComponent(HOSTILE)}`)
    await page.getByText('Nothing is known of that').waitFor()
    assert.equal(await page.locator('main img, main b').count(), 0)
  })

  test('an address without a page says so, and leads back', async () => {
    const { page, open } = admin
    for (const path of ['/console/peple', '/console/people/%']) {
      await open(path)
      await page.getByRole('heading', { name: 'Page not found' }).waitFor()
      await page.getByText(path).waitFor()
      assert.equal(await page.locator('.rooms [aria-current]').count(), 0)
    }
    await page.getByRole('link', { name: 'To the first page' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('Enter that ends the composing of Japanese searches nothing', async () => {
    const { page, open, context } = admin
    await open('/console/trace')
    await page.keyboard.press('/')
    const input = await context.newCDPSession(page)
    await input.send('Input.imeSetComposition', {
      text: 'かいぎ',
      selectionStart: 3,
      selectionEnd: 3,
    })
    // As an input method hands it on: the key is its own.
    const enter = { windowsVirtualKeyCode: 229, code: 'Enter', key: 'Process' }
    await input.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...enter })
    await input.send('Input.insertText', { text: '会議' })
    await input.send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter })
    assert.equal(await page.locator('[data-search]').inputValue(), '会議')
    assert.equal(new URL(page.url()).search, '')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing is known of that').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('q'), '会議')
  })

  test('the queue by keys and addresses: removal asks for the number', async () => {
    const { page, open } = admin
    await open('/console/queue?state=held')
    const rows = page.locator('.table-body .table-row')
    await rows.nth(2).waitFor()
    await page.getByRole('grid').focus()
    for (const key of ['j', 'x', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('complementary').waitFor()
    assert.match(page.url(), /state=held&id=/)
    const bar = page.getByRole('toolbar')
    await bar.getByRole('button', { name: 'Try now' }).waitFor()
    await bar.getByRole('button', { name: 'Remove' }).click()
    const sure = page.getByRole('dialog').getByRole('button', { name: 'Remove' })
    assert.equal(await sure.isDisabled(), true)
    await page.keyboard.type('1')
    await page.keyboard.press('Enter')
    await said(page, 'One message is removed.')
    // It stays where it stood, as one that is gone: no row moves below one's hand.
    await page.locator('.table-gone').waitFor()
    assert.equal(await rows.count(), 3)
    await open('/console/queue?state=held')
    await rows.nth(1).waitFor()
    assert.equal(await rows.count(), 2)
    await open('/console/queue?text=nobody')
    await page.getByText('No waiting message fits this filter.').waitFor()
  })

  test('the queue: what waits is held, and let go again, at once', async () => {
    await it.watari(['alias', 'add', 'near', 'someone@near.example'])
    await it.watari(['route', 'set', 'near.example', 'smtp:127.0.0.1:1'])
    assert.match(await send('near@campus.example', 'four@example.org', 'four'), /^250/)
    const { page, open } = admin
    await open('/console/queue?domain=near.example')
    // Its first attempt has failed: the next one is minutes away.
    await page.locator('.table-body .table-row', { hasText: '451' }).click()
    const detail = page.getByRole('complementary')
    await detail.getByRole('button', { name: 'Hold' }).click()
    await said(page, 'One message is held.')
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await said(page, 'One message is released.')
  })

  test('people: names are text, what is done can be undone, passwords are set', async () => {
    const { page, open } = admin
    await open('/console/people')
    await page.getByRole('button', { name: 'Add an account' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Address').fill('jiro')
    await dialog.getByLabel('Name', { exact: true }).fill(`次郎 ${HOSTILE}`)
    await dialog.getByLabel('Password', { exact: true }).fill('パス ワード&"')
    await page.keyboard.press('Enter')
    await said(page, 'jiro@campus.example is added.')
    await page.getByLabel('Name, reading, tag or address').fill('次郎')
    await page.locator('.table-row', { hasText: `次郎 ${HOSTILE}` }).click()
    await page.getByRole('button', { name: 'Disable' }).click()
    await said(page, /is disabled/)
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await said(page, /is enabled/)
    assert.match(
      (await it.watari(['user', 'show', 'jiro', '--json'])).stdout,
      /"disabled":\s*false/,
    )
  })

  test(`the access list of ${NETWORKS} rows is a table of a few`, async () => {
    const rows = Array.from(
      { length: NETWORKS },
      (_, n) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
    )
    const done = await it.watari(['access', 'import', '-'], rows.join('\n'))
    assert.equal(done.status, 0, done.stderr)
    const { page, open } = admin
    await open('/console/access')
    await page.locator('.table-row', { hasText: '10.0.0.0' }).first().waitFor()
    const table = page.getByRole('grid')
    await table.focus()
    await page.keyboard.press('End')
    // Pages come by themselves, until another key is pressed.
    const height = (): Promise<number> =>
      page.evaluate("document.querySelector('.table-body').offsetHeight")
    await until('several pages', async () => (await height()) > 400 * 34)
    await page.keyboard.press('k')
    assert.ok((await page.locator('.table-row').count()) < 120)
    await page.getByLabel('Part of a network, or an address').fill('10.1.2.3')
    const found = page.locator('.table-body .table-row')
    await until('those that hold it', async () => (await found.count()) === 11)
    assert.deepEqual((await found.allInnerTexts()).slice(0, 2), ['10.1.2.3', '10.1.2.30'])
    await page.getByLabel('Part of a network, or an address').fill('')
    await found.filter({ hasText: '10.0.0.0' }).first().waitFor()
    const file = page.waitForEvent('download')
    await page.getByRole('button', { name: 'CSV' }).click()
    const lines = (await readFile(await (await file).path(), 'utf8')).split('\r\n')
    assert.deepEqual(
      [lines.length, lines[0], lines[1]],
      [NETWORKS + 2, '\uFEFFNetwork', '10.0.0.0'],
    )
    await page.getByRole('button', { name: 'Import' }).click()
    const buffer = Buffer.from('\uFEFFNetwork\r\n"192.0.2.0/24"\r\n198.51.100.0/25 # 東京\r\n')
    await page.getByLabel('File').setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer })
    const dialog = page.getByRole('dialog')
    await dialog.getByText('2 networks: 192.0.2.0/24, 198.51.100.0/25').waitFor()
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await said(page, '2 added, 0 removed; the list has 100,002 networks.')
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await said(page, '0 added, 2 removed; the list has 100,000 networks.')
    await page.getByLabel(/Networks to add/).fill('2001:db8::/32')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await said(page, '1 added, 0 removed; the list has 100,001 networks.')
  })

  test('settings: a difference before it is applied, a conflict when another was first, and the way back', async () => {
    const { page, open } = admin
    await open('/console/settings?q=received.max')
    await page.getByLabel('received.max').fill('77')
    const other = await it.watari(['settings', 'set', 'smtp.recipientsMax', '500'])
    assert.equal(other.status, 0, other.stderr)
    await page.getByRole('button', { name: 'Review one change' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('ins', { hasText: '77' }).waitFor()
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await dialog.getByText(/admin changed the settings meanwhile/).waitFor()
    await dialog.getByText('smtp.recipientsMax').waitFor()
    await dialog.getByRole('button', { name: 'Apply mine on top' }).click()
    await said(page, /Generation \d+ is in force/)
    assert.match((await it.watari(['settings', 'get', 'received.max'])).stdout, /77/)
    await page.getByRole('link', { name: 'History' }).click()
    await page.locator('.table-body .table-row').nth(1).click()
    const earlier = page.getByRole('complementary')
    await earlier.getByRole('button', { name: 'Go back to this' }).click()
    await dialog.locator('del', { hasText: '77' }).waitFor()
    await dialog.getByRole('button', { name: 'Go back to this' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.doesNotMatch((await it.watari(['settings', 'get', 'received.max'])).stdout, /77/)
    assert.match((await it.watari(['settings', 'get', 'smtp.recipientsMax'])).stdout, /500/)
  })

  test('nodes: how they are, and a token for one more', async () => {
    const { page, open } = admin
    await open('/console/nodes')
    await page.locator('.cards li', { hasText: 'gateway' }).getByText('well').waitFor()
    await page.getByRole('button', { name: 'Let a machine join' }).click()
    await page.getByLabel('Name of the node').fill('gateway-2')
    await page.keyboard.press('Enter')
    assert.ok((await page.getByLabel('Token').inputValue()).length > 40)
    assert.deepEqual(admin.faults, [])
  })

  test('control alone serves its console itself', async () => {
    const alone = await install({ role: 'control' })
    try {
      const visitor = await visit(browser, alone, { language: 'ja', scheme: 'light' })
      await login(visitor, alone.password('admin'))
      await visitor.page.locator('.corridor').waitFor()
      assert.deepEqual(visitor.faults, [])
      await visitor.context.close()
    } finally {
      await alone.remove()
    }
  })
})
