import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { noBrowser, openBrowser, visit } from './browser.ts'
import type { Visitor } from './browser.ts'
import { enterConsole } from './console-login.ts'
import { fullHouse } from './full-house.ts'
import type { House } from './full-house.ts'
import { until } from './installation.ts'
import { smtpSend } from './mail.ts'

const QUEUED = 3_000
const GENERATIONS = 1_000

let house: House
let browser: Browser
let admin: Visitor

const said = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('.notice', { hasText: text }).last().waitFor()

const undo = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Undo' }).last().click()

const height = (page: Page): Promise<number> =>
  page.evaluate("document.querySelector('.table-body').offsetHeight")

const detail = (page: Page) => page.getByRole('complementary')

describe('the console over a full house', { skip: noBrowser ?? false }, () => {
  before(async () => {
    house = await fullHouse({ people: 40, aliases: 10, queued: QUEUED, generations: GENERATIONS })
    browser = await openBrowser()
    admin = await visit(browser, house, { language: 'en', scheme: 'light' })
    await enterConsole(admin, house.password('admin'))
  })
  after(async () => {
    await browser?.close()
    await house?.remove()
  })

  test('a queue of thousands is a window: few rows are on the page, the others come as they are looked at', async () => {
    const { page, open } = admin
    await open('/console/queue?order=newest')
    const rows = page.locator('.table-body .table-row')
    await page
      .locator('.table-row', { hasText: `sender${(QUEUED - 2) % 100}@` })
      .first()
      .waitFor()
    const grid = page.getByRole('grid')
    await grid.focus()
    // A key stops on the way to an end that is not known yet; without one it is come to.
    await page.keyboard.press('End')
    await until('some pages', async () => (await height(page)) > 400 * 34)
    await page.keyboard.press('k')
    await page.keyboard.press('End')
    await until('the end is known', async () => (await grid.getAttribute('aria-rowcount')) !== '-1')
    const count = Number(await grid.getAttribute('aria-rowcount'))
    // Some are due, and leave it.
    assert.ok(count > QUEUED - 100, `${count} of ${QUEUED}`)
    await page.locator(`.table-active[aria-rowindex="${count}"]:not([aria-busy])`).waitFor()
    assert.ok((await rows.count()) < 80)
    // Back at the beginning its pages have been forgotten, and are asked for again.
    await page.keyboard.press('Home')
    await page.locator('[aria-rowindex="2"]:not([aria-busy])').waitFor()
    await page.getByLabel('Recipient’s domain').fill('大学.example')
    await page
      .locator('.table-row', { hasText: '@docomo.example' })
      .first()
      .waitFor({ state: 'detached' })
    await page.getByRole('combobox', { name: 'State' }).selectOption('held')
    await page.getByRole('combobox', { name: 'Age' }).selectOption('day')
    await page.locator('.table-row', { hasText: 'held' }).first().waitFor()
    for (const text of await rows.allInnerTexts()) assert.match(text, /held[^]*@大学\.example/)
    assert.match(page.url(), /state=held&age=day/)
  })

  test('a live queue says what is new instead of moving rows', async () => {
    const { page, open } = admin
    const news = async (subject: string): Promise<void> => {
      const to = 'hanako@far.example'
      const from = `${subject}@example.org`
      const headers = `From: <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\n`
      const said250 = await smtpSend(house.port(26), {
        from,
        to: [to],
        content: `${headers}Message-ID: <${subject}@x>\r\nDate: ${new Date().toUTCString()}\r\n\r\n渡り\r\n`,
      })
      assert.match(said250, /^250/)
    }
    await house.api('POST', '/access', { add: ['127.0.0.1'] })
    await open('/console/queue?order=newest')
    const first = page.locator('[aria-rowindex="2"]')
    await first.waitFor()
    const before = await first.innerText()
    for (const name of ['ichi', 'ni', 'san']) await news(name)
    await page.getByRole('button', { name: '3 new' }).waitFor()
    assert.equal(await first.innerText(), before)
    await page.getByRole('button', { name: '3 new' }).click()
    await page.locator('.table-row', { hasText: 'san@example.org' }).waitFor()
    assert.match(await first.innerText(), /san@example\.org/)
  })

  test('domains, aliases, forwards and routes are made, changed, removed and brought back', async () => {
    const { page, open } = admin
    const dialog = page.getByRole('dialog')
    const add = async (tab: string, button: string, fields: Readonly<Record<string, string>>) => {
      await open(`/console/destinations?tab=${tab}`)
      await page.getByRole('button', { name: button }).click()
      for (const [label, value] of Object.entries(fields))
        await dialog.getByLabel(label).fill(value)
      await page.keyboard.press('Enter')
    }
    await add('domains', 'Add a domain', { Domain: '学部.example', 'Converted to': 'none.example' })
    await dialog.getByText('none.example is no local domain').waitFor()
    await dialog.getByText(/watari domain add none\.example/).waitFor()
    await dialog.getByLabel('Converted to').fill('campus.example')
    await page.keyboard.press('Enter')
    await said(page, '学部.example is a domain of ours.')
    await page.locator('.table-row', { hasText: '学部.example' }).click()
    await detail(page).getByLabel('Converted to').fill('')
    await detail(page).getByRole('button', { name: 'Save' }).click()
    await said(page, '学部.example is changed.')
    await detail(page).getByRole('button', { name: 'Remove' }).click()
    await said(page, '学部.example is no domain of ours any more.')
    await undo(page)
    await page.locator('.table-row', { hasText: '学部.example' }).waitFor()

    await add('aliases', 'Add an alias', { Alias: 'info', 'Leads to': 'person-1, 外@far.example' })
    await said(page, 'info is an alias.')
    await page.locator('.table-row', { hasText: 'info@campus.example' }).click()
    await detail(page).getByLabel('Leads to').fill('person-4')
    await page.keyboard.press('Enter')
    await page.locator('.table-row', { hasText: 'person-4@campus.example' }).first().waitFor()

    await add('forwards', 'Add a forward', {
      Account: 'person-4',
      'Forwarded to': 'four@far.example',
    })
    await said(page, 'person-4 is forwarded.')
    await page.locator('.table-row', { hasText: 'person-4@' }).click()
    await detail(page).getByLabel('Keep a copy').check()
    await detail(page).getByRole('button', { name: 'Save' }).click()
    await page.locator('.table-row', { hasText: 'person-4@' }).getByText('stays').waitFor()

    await add('routes', 'Set a route', {
      'Domain or address': 'partner.example',
      'Next hop': 'nowhere',
    })
    await dialog.getByText(/nowhere is no next hop/).waitFor()
    await dialog.getByLabel('Next hop').fill('smtp:192.0.2.7:25')
    await page.keyboard.press('Enter')
    await page.locator('.table-row', { hasText: 'smtp:192.0.2.7:25' }).waitFor()
    const routes = await house.watari(['route', 'ls'])
    assert.match(routes.stdout, /partner\.example +smtp:192\.0\.2\.7:25/, routes.stderr)
    const forwards = await house.watari(['forward', 'ls'])
    assert.match(forwards.stdout, /person-4@campus\.example +four@far\.example +yes/)
  })

  test('of two who edit one person the second sees both values, and chooses', async () => {
    const { page, open } = admin
    await open('/console/people?q=person-5@')
    await page.locator('.table-row', { hasText: 'person-5@' }).click()
    const name = detail(page).getByLabel('Name', { exact: true })
    await name.fill('二人目の名前')
    await house.api('PATCH', '/users/person-5', { name: '一人目の名前' })
    await detail(page).getByRole('button', { name: 'Save' }).click()
    const conflict = detail(page).getByRole('alert')
    await conflict.getByText('Nothing of yours is written yet').waitFor()
    await conflict.getByText(/admin changed person-5@campus\.example meanwhile/).waitFor()
    await conflict.locator('ins', { hasText: '二人目の名前' }).waitFor()
    await conflict.locator('del', { hasText: '一人目の名前' }).waitFor()
    const stored = async (): Promise<unknown> =>
      ((await house.api('GET', '/users/person-5')) as { readonly name: string }).name
    assert.equal(await stored(), '一人目の名前')
    await conflict.getByRole('button', { name: 'Keep as it is now' }).click()
    await conflict.waitFor({ state: 'detached' })
    await until('the name that was first', async () => (await name.inputValue()) === '一人目の名前')
    await name.fill('三つ目の名前')
    await house.api('PATCH', '/users/person-5', { name: '四つ目の名前' })
    await detail(page).getByRole('button', { name: 'Save' }).click()
    await conflict.getByRole('button', { name: 'Apply mine on top' }).click()
    await said(page, 'person-5@campus.example is changed.')
    assert.equal(await stored(), '三つ目の名前')
  })

  test('what an account and a domain may hold is set, shown with what is held, and cleared', async () => {
    const { page, open } = admin
    const content = `From: <a@far.example>\r\nSubject: kaigi\r\n\r\n${'渡り\r\n'.repeat(6_000)}`
    const mail = { from: 'a@far.example', to: ['person-9@campus.example'], content }
    assert.match(await smtpSend(house.port(25), mail), /^250/)
    await until('it is filed', async () => {
      const { stdout } = await house.watari(['mailbox', 'ls', 'person-9', '--json'])
      return (JSON.parse(stdout) as { used: { messages: number } }).used.messages === 1
    })
    await open('/console/people?q=person-9@')
    await page.locator('.table-row', { hasText: /person-9@.*47\.\d KiB/s }).click()
    const limit = detail(page).getByLabel('May hold', { exact: true })
    const save = () => detail(page).getByRole('button', { name: 'Save' }).click()
    await detail(page).getByText('Nothing limits it.').waitFor()
    await limit.fill('沢山')
    await save()
    await detail(page).getByText('沢山 is no limit.').waitFor()
    await limit.fill('５２ kib')
    await save()
    await said(page, 'person-9@campus.example is changed.')
    await detail(page).getByText('of 52 KiB used').waitFor()
    await detail(page).getByText('△ nearly full').waitFor()
    assert.match((await detail(page).getByRole('meter').getAttribute('aria-valuenow'))!, /^9[12]$/)
    const { stdout } = await house.watari(['user', 'show', 'person-9'])
    assert.match(stdout, /^quota: +52\.0 KiB, any number \(its own/m)

    await open('/console/people?q=person')
    await page.getByRole('combobox', { name: 'Storage' }).selectOption('near')
    const rows = page.locator('.table-body .table-row')
    await rows.filter({ hasText: 'person-1@' }).waitFor({ state: 'detached' })
    await rows.filter({ hasText: /person-9@.*△ 9[12] %/s }).click()
    assert.equal(await rows.count(), 1)
    // From where on that is, is the setting by which its owner is warned.
    await house.watari(['settings', 'set', 'mailbox.quotaWarnPercent', '95'])
    await open('/console/people?q=person&full=near')
    await page.getByText('Nobody is nearly full.').waitFor()
    await page.getByRole('combobox', { name: 'Storage' }).getByText('≥ 95 %').waitFor({
      state: 'attached',
    })
    await house.watari(['settings', 'set', 'mailbox.quotaWarnPercent', '91'])
    await open('/console/people?q=person&full=near')
    await rows.filter({ hasText: /person-9@.*△ 9[12] %/s }).click()
    await limit.fill('')
    await save()
    await page.getByText('Nobody is nearly full.').waitFor()

    await open('/console/destinations?id=campus.example')
    await limit.fill('2 GiB')
    await save()
    await said(page, 'campus.example is changed.')
    await page.locator('.table-row', { hasText: /campus\.example.*2 GiB/s }).waitFor()
    await open('/console/people?q=person-9@')
    await page.locator('.table-row', { hasText: 'person-9@' }).click()
    await detail(page).getByText('of 2 GiB used').waitFor()
    await detail(page).getByText('The limit is that of the domain').waitFor()
    await open('/console/destinations?id=campus.example')
    await limit.fill('')
    await save()
    await said(page, 'campus.example is changed.')
  })

  test("a person's scripts are put, refused with the line that is wrong, switched on and off", async () => {
    const { page, open } = admin
    await open('/console/people?q=person-6@')
    await page.locator('.table-row', { hasText: 'person-6@' }).click()
    await detail(page).getByRole('button', { name: 'New script' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('会議')
    await dialog.getByLabel('Script (RFC 5228)').fill('keep;\nfileinto "会議";\n')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText(/line 2/).waitFor()
    await dialog.getByLabel('Script (RFC 5228)').fill('require "fileinto";\nfileinto "会議";\n')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await said(page, '会議 is stored.')
    await detail(page).getByRole('button', { name: 'Switch on' }).click()
    await detail(page).getByText('○ filters').waitFor()
    await detail(page).getByRole('button', { name: 'Switch off' }).click()
    await detail(page).getByRole('button', { name: 'Remove 会議' }).click()
    await said(page, '会議 is removed.')
    await undo(page)
    await detail(page).getByRole('button', { name: '会議', exact: true }).click()
    assert.match(await dialog.getByLabel('Script (RFC 5228)').inputValue(), /^require "fileinto"/)
    await page.keyboard.press('Escape')
  })

  test('an account is deleted once its address is entered', async () => {
    const { page, open } = admin
    await open('/console/people?q=person-8@')
    await page.locator('.table-row', { hasText: 'person-8@' }).click()
    await detail(page).getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/It can be brought back/).waitFor()
    await page.keyboard.type('person-8')
    assert.equal(await dialog.getByRole('button', { name: 'Delete' }).isDisabled(), true)
    await page.keyboard.type('@campus.example')
    await page.keyboard.press('Enter')
    await said(page, 'person-8@campus.example is deleted.')
    await page.getByText('Nothing fits this search.').waitFor()
    assert.equal((await house.watari(['user', 'show', 'person-8'])).status, 1)
  })

  test('columns are chosen, and stay so', async () => {
    const { page, open } = admin
    await open('/console/people')
    await page.getByText('Columns', { exact: true }).click()
    await page.getByLabel('Reading', { exact: true }).uncheck()
    await page.getByRole('columnheader', { name: 'Reading' }).waitFor({ state: 'detached' })
    // Seldom asked for: it is left out at first.
    await page.getByLabel('Forwarded to').check()
    await page.getByRole('columnheader', { name: 'Forwarded to' }).waitFor()
    await open('/console/people')
    await page.getByRole('columnheader', { name: 'Forwarded to' }).waitFor()
    assert.equal(await page.getByRole('columnheader', { name: 'Reading' }).count(), 0)
  })

  test('the last administrator cannot disable or delete himself, and is told why', async () => {
    const { page, open } = admin
    await open('/console/people?q=admin')
    await page.locator('.table-row', { hasText: 'admin@campus' }).click()
    await detail(page).getByRole('button', { name: 'Disable' }).click()
    await said(page, /Not done: This is the last administrator/)
    await detail(page).getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('textbox').fill('admin@campus.example')
    await page.keyboard.press('Enter')
    await said(page, /Not done: .* Make another account an administrator first/)
    const { disabled, admin: right } = (await house.api('GET', '/users/admin')) as {
      readonly disabled: boolean
      readonly admin: boolean
    }
    assert.deepEqual([disabled, right], [false, true])
  })

  test('a role is given in the console; a help desk is offered what it may do, and nothing else', async () => {
    const { page, open } = admin
    await open('/console/people?q=hanako')
    await page.locator('.table-row', { hasText: 'hanako@campus' }).click()
    await detail(page).getByLabel('Role').selectOption('help-desk')
    await said(page, /hanako@campus.example has the role: help desk/)
    const helper = await visit(browser, house, { language: 'ja', scheme: 'dark' })
    await enterConsole(helper, house.password('hanako'), 'hanako')
    const rooms = await helper.page.locator('.rooms a').allInnerTexts()
    assert.equal(rooms.length, 7, rooms.join())
    assert.ok(!rooms.some((room) => /設定/.test(room)), rooms.join())
    await helper.open('/console/people?q=taro')
    await helper.page.locator('.table-row', { hasText: 'taro@campus' }).click()
    await detail(helper.page).getByRole('button', { name: '停止' }).waitFor()
    const offered = await detail(helper.page).getByRole('button').allInnerTexts()
    assert.ok(!offered.some((each) => /削除/.test(each)), offered.join())
    await helper.open('/console/people?q=admin')
    await helper.page.locator('.table-row', { hasText: 'admin@campus' }).click()
    await detail(helper.page).getByText('管理者').waitFor()
    assert.equal(await detail(helper.page).getByRole('button', { name: '停止' }).count(), 0)
    assert.deepEqual(helper.faults, [])
    await helper.page.context().close()
    await open('/console/people?q=hanako')
    await page.locator('.table-row', { hasText: 'hanako@campus' }).click()
    await detail(page).getByLabel('Role').selectOption('user')
    await said(page, /hanako@campus.example has the role: user/)
  })

  test('a thousand generations: any one is found, differs from any other, and is gone back to', async () => {
    const { page, open } = admin
    await open('/console/settings?tab=history')
    await page.getByLabel('Number of a generation').fill('3')
    await page.keyboard.press('Enter')
    await detail(page).getByRole('heading', { name: 'Generation 3', exact: true }).waitFor()
    await detail(page).getByLabel('to generation').fill('200')
    const after = detail(page).locator('section ins', { hasText: '699' })
    await after.waitFor()
    assert.match(page.url(), /id=3&against=200/)
    await detail(page).getByRole('button', { name: 'Go back to this' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('ins', { hasText: '502' }).waitFor()
    await dialog.getByRole('button', { name: 'Go back to this' }).click()
    await said(page, /Generation \d+ is in force/)
    const now = await house.watari(['settings', 'get', 'smtp.recipientsMax'])
    assert.match(now.stdout, /502/)
    assert.deepEqual(admin.faults, [])
  })
})
