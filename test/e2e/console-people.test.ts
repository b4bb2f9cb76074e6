import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { HOME_BASE, startLdapServers } from '#test/peers/ldap-home.ts'
import { peersMissing } from '#test/peers/root.ts'
import { startSlapd } from '#test/peers/slapd.ts'
import type { Slapd } from '#test/peers/slapd.ts'
import { noBrowser, openBrowser, visit } from './browser.ts'
import type { Visitor } from './browser.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { enterConsole } from './console-login.ts'
import { consoleFaults } from './console-looks.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'

const SUFFIX = 'dc=campus,dc=example'
const BASE = `ou=people,${SUFFIX}`

/** People by user name, as slapadd takes them. */
const ldif = (people: Readonly<Record<string, Readonly<Record<string, string>>>>): string =>
  [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: campus\no: campus`,
    `dn: ${BASE}\nobjectClass: organizationalUnit\nou: people`,
    ...Object.entries(people).map(([uid, more]) =>
      [
        `dn: uid=${uid},${BASE}`,
        'objectClass: inetOrgPerson',
        ...Object.entries({ uid, sn: uid, cn: uid, ...more }).map(
          ([type, value]) => `${type}:: ${Buffer.from(value).toString('base64')}`,
        ),
      ].join('\n'),
    ),
  ].join('\n\n')

const CROWD = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`crowd${n}`, {}]))

const said = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('.notice', { hasText: text }).last().waitFor()
const detail = (page: Page) => page.getByRole('complementary')
const dialogOf = (page: Page) => page.getByRole('dialog')
const row = (page: Page, text: string | RegExp) =>
  page.locator('.table-body .table-row', { hasText: text })

describe(
  'people of other directories in the console',
  {
    skip: noBrowser ?? peersMissing() ?? false,
  },
  () => {
    let watari: Installation
    let cli: CommandLine
    let older: Slapd
    let newer: Slapd
    let browser: Browser
    let admin: Visitor
    before(async () => {
      ;[watari, newer, older, browser] = await Promise.all([
        install(),
        startSlapd({
          suffix: SUFFIX,
          ldif: ldif({ kenji: { displayName: '佐藤 賢治', mail: 'kenji@campus.example' } }),
        }),
        startSlapd({
          suffix: SUFFIX,
          ldif: ldif({
            ...CROWD,
            kenji: { cn: 'Kenji Sato', mail: 'ks@campus.example' },
            far: { mail: 'far@else.example' },
          }),
        }),
        openBrowser(),
      ])
      cli = commandLine(watari)
      admin = await visit(browser, watari, { language: 'en', scheme: 'light' })
      await enterConsole(admin, watari.password('admin'))
    })
    after(async () => {
      await Promise.all([browser?.close(), watari?.remove(), newer?.stop(), older?.stop()])
    })

    test('a directory is tried, set by the keyboard, and read', async () => {
      const { page, open } = admin
      await open('/console/people?tab=sources')
      await page.getByText('People are in our own directory alone').waitFor()
      await page.getByRole('button', { name: 'Add a directory' }).focus()
      await page.keyboard.press('Enter')
      const dialog = dialogOf(page)
      for (const text of ['newer', `ldap://127.0.0.1:1\nldap://127.0.0.1:${newer.port}`, BASE]) {
        await page.keyboard.insertText(text)
        await page.keyboard.press('Tab')
      }
      await page.keyboard.insertText(newer.rootDn)
      await page.keyboard.press('Tab')
      await page.keyboard.insertText('wrong')
      await dialog.getByRole('button', { name: 'Test first' }).click()
      await dialog
        .getByRole('alert')
        .getByText(/Nothing of it is taken/)
        .waitFor()
      await dialog.getByLabel('Its password').fill(newer.rootPassword)
      await dialog.getByRole('button', { name: 'Test first' }).click()
      await dialog.getByText('One person is there.').waitFor()
      await dialog.getByRole('cell', { name: '佐藤 賢治' }).waitFor()
      assert.deepEqual(await consoleFaults(page, 'source-tried'), [])
      await dialog.getByRole('button', { name: 'Add a directory' }).click()
      await said(page, 'newer is set')
      await row(page, /newer.*○ well.*1.*1 of 2 away/s).waitFor()
      await detail(page).getByText('○ well').first().waitFor()
      await detail(page).getByText('✕ away').waitFor()

      await cli.run([
        'directory',
        'sources',
        'add',
        'older',
        '--order',
        '20',
        '--url',
        `ldap://127.0.0.1:${older.port}`,
        '--base',
        BASE,
      ])
      await row(page, /20.*older.*○ well.*22/s).click()
      await detail(page).getByText('far@else.example: else.example is no local domain').waitFor()
      assert.deepEqual(await consoleFaults(page, 'source'), [])
    })

    test('what is changed keeps the password, except for a place that was never told it', async () => {
      const { page, open } = admin
      await open('/console/people?tab=sources&id=newer')
      const dialog = dialogOf(page)
      const change = async (): Promise<void> => {
        await detail(page).getByRole('button', { name: 'Change' }).click()
      }
      const save = (): Promise<void> => dialog.getByRole('button', { name: 'Change newer' }).click()
      await change()
      await dialog.getByText('Further settings').click()
      await dialog.getByLabel('Order').fill('5')
      await save()
      await said(page, 'newer is changed.')
      await row(page, /5.*newer.*○ well/s).waitFor()
      await change()
      await dialog.getByLabel('Servers, one a line').fill(`ldap://localhost:${newer.port}`)
      await save()
      await dialog.getByText(/its password belong together/).waitFor()
      await page.keyboard.press('Escape')
    })

    test('an address is explained: who has it, what each says, who is believed', async () => {
      const { page, open } = admin
      await open('/console/people?tab=explain')
      await page.keyboard.press('/')
      await page.keyboard.type('kenji@campus.example')
      await page.keyboard.press('Enter')
      await page
        .getByText('kenji@campus.example is an account, known from: newer and older.')
        .waitFor()
      await page.getByText(/a bind to newer as uid=kenji/).waitFor()
      const rows = page.getByRole('row')
      await rows.filter({ hasText: /Name.*佐藤 賢治.*newer/s }).waitFor()
      await rows.filter({ hasText: /Address.*ks@campus\.example.*older/s }).waitFor()
      assert.deepEqual(await consoleFaults(page, 'explain'), [])
      await page.getByRole('searchbox').fill('nobody@campus.example')
      await page.keyboard.press('Enter')
      await page.getByText('nobody@campus.example is nobody’s account.').waitFor()
    })

    test('one that lost many is held until somebody says that it is meant, one that is gone is away', async () => {
      const { page, open } = admin
      await open('/console/people?tab=sources&id=older')
      const set = (filter: string): Promise<string> =>
        cli.run([
          'directory',
          'sources',
          'add',
          'older',
          '--order',
          '20',
          '--filter',
          filter,
          '--url',
          `ldap://127.0.0.1:${older.port}`,
          '--base',
          BASE,
        ])
      await set('(uid=kenji)')
      await detail(page).getByText('△ held').waitFor()
      await detail(page)
        .getByText(/20 of \d+ people would be gone/)
        .waitFor()
      await detail(page).getByRole('button', { name: 'It is meant' }).click()
      await said(page, 'older is read.')
      await row(page, /older.*○ well.*1/s).waitFor()
      older.kill()
      await detail(page).getByRole('button', { name: 'Read now' }).click()
      await said(page, 'older was asked.')
      await row(page, /older.*✕ away/s).waitFor()
    })

    test('one is removed once its name is entered; its people stay if that is said', async () => {
      const { page, open } = admin
      await open('/console/people?tab=sources&id=newer')
      await detail(page).getByRole('button', { name: 'Remove' }).click()
      const dialog = dialogOf(page)
      await dialog.getByText('They become accounts of our own').waitFor()
      await dialog.getByLabel(/Enter its name/).fill('newer')
      await page.keyboard.press('Enter')
      await said(page, 'newer is no directory of ours any more.')
      await row(page, 'newer').waitFor({ state: 'detached' })
      await until('kenji is of the other one', async () =>
        (await cli.run(['directory', 'explain', 'kenji'])).includes('older'),
      )
    })

    test('files are looked at before they are imported, as spreadsheets and systems write them', async () => {
      const { page, open } = admin
      await open('/console/people?tab=import')
      const files = page.getByLabel('Files')
      const put = (...some: readonly (readonly [name: string, buffer: Buffer])[]): Promise<void> =>
        files.setInputFiles(
          some.map(([name, buffer]) => ({ name, mimeType: 'text/plain', buffer })),
        )
      // ユーザー名,氏名 and 髙田, a letter of IBM's, in CP932; ＠, digits and blanks of full width in UTF-16.
      const cp932 = Buffer.concat([
        Buffer.from('8386815b8355815b96bc2c8e8196bc0d0a', 'hex'),
        Buffer.from('mai,'),
        Buffer.from('fbfc93630d0a', 'hex'),
        Buffer.from('bad name,x\r\n'),
      ])
      const wide =
        'メールアドレス\t氏名\tよみ\t別名\r\nｊｕｎ２＠ｃａｍｐｕｓ．ｅｘａｍｐｌｅ\t山﨑　純\tやまざき じゅん\t純　ｊ．ｙ＠campus.example\r\n'
      const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(wide, 'utf16le')])
      await put(['名簿.csv', cp932], ['新入生.csv', utf16])
      await page.getByText('It would be: 2 added, 0 changed, 0 the same, 0 refused').waitFor()
      await row(page, /名簿\.csv: line 3.*'bad name' is no user name/s).waitFor()
      await row(page, /新入生\.csv: line 2.*jun2@campus\.example.*○ added/s).waitFor()
      assert.deepEqual(await consoleFaults(page, 'import'), [])
      await cli.refused(['user', 'show', 'mai'], 1)
      await page.getByRole('button', { name: 'Import 2 rows' }).focus()
      await page.keyboard.press('Enter')
      await page.getByText('It is done: 2 added').waitFor()
      const jun = await cli.json<{ name: string; addresses: string[] }>(['user', 'show', 'jun2'])
      assert.deepEqual([jun.name, jun.addresses], ['山﨑　純', ['j.y@campus.example']])
      assert.equal((await cli.json<{ name: string }>(['user', 'show', 'mai'])).name, '髙田')

      // What goes out comes in as it was, with the mark by which Excel knows UTF-8.
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Export as CSV' }).click(),
      ])
      const octets = await readFile(await saved.path())
      assert.deepEqual([...octets.subarray(0, 3)], [0xef, 0xbb, 0xbf])
      assert.match(
        octets.toString(),
        /^\uFEFFusername,address,[^]*\r\njun2,jun2@campus\.example,山﨑　純,/,
      )
      await put(['watari-people.csv', octets])
      await page.getByText(/It would be: 0 added, 0 changed, \d+ the same, 0 refused/).waitFor()
      assert.equal(await page.getByRole('button', { name: 'Import 0 rows' }).isDisabled(), true)

      await put(['unknown', Buffer.from('x')])
      await page.getByText('what unknown is cannot be seen').waitFor()
      await put([
        'aliases',
        Buffer.from('staff: mai, jun2\ndump: "|/bin/sh -c evil"\nall: :include:/etc/passwd\n'),
      ])
      await page.getByText('It would be: 1 added').waitFor()
      await row(page, /dump: a program is not taken/).waitFor()
      await row(page, /all: \/etc\/passwd cannot be read/).waitFor()
    })

    test('people are found by any form of their names, words in any order', async () => {
      const { page, open } = admin
      await open('/console/people')
      for (const search of ['純 山崎', 'ﾔﾏｻﾞｷ', '高田']) {
        await page.getByRole('searchbox').fill(search)
        await row(page, search === '高田' ? '髙田' : '山﨑').waitFor()
        await row(page, 'admin@').waitFor({ state: 'detached' })
      }
      await row(page, '髙田').click()
      await detail(page).getByLabel('Reading').fill('たかだ まい')
      await detail(page).getByLabel('Former names').fill('渡邉 舞、濵 舞')
      await detail(page).getByLabel('Tags').fill('2027入学, 法学部 一年')
      await detail(page).getByLabel('Last day').fill('2031-03-31')
      await detail(page).getByLabel('After leaving, mail goes to').fill('mai@partner.example')
      await detail(page).getByLabel('Sent on until').fill('2031-09-30')
      await page.keyboard.press('Enter')
      await said(page, 'mai@campus.example is changed.')
      const { version: _, ...mai } = await cli.json<Record<string, unknown>>([
        'user',
        'show',
        'mai',
      ])
      assert.deepEqual(
        [mai['reading'], mai['formerNames'], mai['tags'], mai['expiresOn']],
        ['たかだ まい', ['渡邉 舞', '濵 舞'], ['2027入学', '法学部 一年'], '2031-03-31'],
      )
      assert.deepEqual(mai['afterLeaving'], { to: ['mai@partner.example'], until: '2031-09-30' })
      for (const search of ['ﾀｶﾀﾞ', '渡辺 舞', '浜', '２０２７入学 mai']) {
        await page.getByRole('searchbox').fill(search)
        await row(page, 'たかだ まい').waitFor()
        await row(page, '山﨑').waitFor({ state: 'detached' })
      }
    })

    test('the end of a long list is one key away', async () => {
      const { page, open } = admin
      const people = [
        'username,name',
        ...Array.from({ length: 450 }, (_, i) => `long${1000 + i},長 ${i}`),
      ]
      const file = join(tmpdir(), `watari-long-${process.pid}.csv`)
      await writeFile(file, people.join('\n'))
      await cli.run(['directory', 'import', file])
      await rm(file)
      await open('/console/people?q=long')
      await row(page, 'long1000@').waitFor()
      await page.getByRole('grid').focus()
      await page.keyboard.press('End')
      await row(page, 'long1449@').waitFor()
      assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '451')
      await page.keyboard.press('Home')
      await row(page, 'long1000@').waitFor()
    })

    test('people are chosen and changed at once; what becomes of each is shown before', async () => {
      const { page, open } = admin
      await open('/console/people?q=crowd')
      await row(page, 'crowd0@').waitFor()
      await page.getByRole('grid').focus()
      await page.keyboard.press('x')
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      const bar = page.getByRole('toolbar')
      await bar.getByText('2 people').waitFor()
      await bar.getByRole('button', { name: 'Choose all found' }).click()
      await bar.getByText('20 people').waitFor()
      await bar.getByRole('button', { name: 'Change …' }).click()
      const dialog = dialogOf(page)
      await dialog.getByText('0 changed, 20 the same').waitFor()
      await dialog.getByLabel('Tags to add').fill('2027入学、法学部 一年')
      await dialog.getByLabel('Last day').fill('2031-03-31')
      await dialog.getByText('20 changed, 0 the same').waitFor()
      assert.deepEqual(await consoleFaults(page, 'bulk'), [])
      // Somebody else takes one of them away meanwhile.
      await cli.run(['user', 'delete', 'crowd3'])
      await dialog.getByRole('button', { name: 'Change 20 people' }).click()
      await dialog.getByText('It is done: 19 changed, 0 the same, 1 refused.').waitFor()
      await dialog.locator('.table-row', { hasText: /✕ refused.*not here any more/s }).waitFor()
      const crowd = await cli.json<{ tags: string[]; expiresOn: string }>([
        'user',
        'show',
        'crowd7',
      ])
      assert.deepEqual([crowd.tags, crowd.expiresOn], [['2027入学', '法学部 一年'], '2031-03-31'])
      // And gives another of them another end, before it is taken back.
      await cli.run(['user', 'set', 'crowd5', '--name', '別人', '--expires-on', '2033-03-31'])
      await cli.run(['user', 'undelete', 'crowd3'])
      await dialog.getByRole('button', { name: 'Undo' }).click()
      await dialog.getByText('It is as it was: 18 put back, 1 refused').waitFor()
      assert.equal(await dialog.getByRole('button', { name: 'Undo' }).count(), 0)
      const back = await cli.json<{ tags?: string[]; expiresOn?: string }>([
        'user',
        'show',
        'crowd7',
      ])
      assert.deepEqual([back.tags ?? [], back.expiresOn], [[], undefined])
      await dialog.getByRole('button', { name: 'Close' }).click()
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        bar.getByRole('button', { name: 'CSV' }).click(),
      ])
      const lines = (await readFile(await saved.path(), 'utf8')).trimEnd().split('\r\n')
      assert.equal(lines.length, 21)
    })

    test('who changed what of somebody is read beside the person', async () => {
      const { page, open } = admin
      await open('/console/people?q=crowd5')
      await row(page, 'crowd5@').click()
      const history = detail(page).locator('details')
      await history.getByText('Who changed what').click()
      await history.getByText(/Name: .*別人/).waitFor()
      await history.getByText(/Tags: .*2027入学, 法学部 一年/).waitFor()
      await history.getByText('The account was made.').waitFor()
      assert.deepEqual(await consoleFaults(page, 'history'), [])
    })

    test('who gets another address keeps mail to the one before; who is deleted comes back', async () => {
      const { page, open } = admin
      await open('/console/people?q=jun2')
      await row(page, 'jun2@').click()
      await detail(page).getByRole('button', { name: 'Change the address' }).click()
      await dialogOf(page).getByLabel('New main address').fill('yamazaki@campus.example')
      await page.keyboard.press('Enter')
      await said(page, 'jun2@campus.example is yamazaki@campus.example now.')
      await detail(page)
        .getByText(/Mail to jun2@campus\.example still arrives until 20/)
        .waitFor()
      await detail(page).getByRole('button', { name: 'Delete' }).click()
      await dialogOf(page).getByRole('textbox').fill('yamazaki@campus.example')
      await page.keyboard.press('Enter')
      await said(page, 'yamazaki@campus.example is deleted.')
      await open('/console/people?deleted=true')
      await row(page, /yamazaki@.*✕ deleted/s)
        .getByRole('button', { name: 'Bring back' })
        .click()
      await said(page, 'yamazaki@campus.example is back')
      await page.getByText('Nobody was deleted').waitFor()
      await open('/console/people?q=yamazaki')
      await row(page, /yamazaki@.*○ active/s).waitFor()
    })

    test('what becomes of a cohort on a day is seen, planned, called off and brought back', async () => {
      const { page, open } = admin
      await open('/console/people?tab=plans')
      await page.getByText('Nothing is planned.').waitFor()
      await page.getByRole('button', { name: 'Plan a change' }).click()
      const dialog = dialogOf(page)
      await dialog.getByLabel('Name').fill('2028年度 進級')
      await dialog.getByLabel('On', { exact: true }).fill('2099-04-01')
      await dialog.getByLabel('Who has all these tags').fill('2027入学')
      await dialog.getByLabel('Tags to add').fill('法学部 二年')
      await dialog.getByLabel('Tags to take away').fill('法学部 一年')
      await dialog.getByRole('button', { name: 'Show whom' }).click()
      await dialog.getByText(/It would be: 2 changed, 0 the same/).waitFor()
      assert.deepEqual(await consoleFaults(page, 'plan-new'), [])
      await dialog.getByRole('button', { name: 'Plan it' }).click()
      await said(page, '2028年度 進級 is planned for 2099-04-01.')
      await row(page, /2099-04-01.*2028年度 進級.*2027入学.*add 法学部 二年/s).click()
      await detail(page)
        .getByText(/It would be: 2 changed/)
        .waitFor()
      assert.deepEqual(await consoleFaults(page, 'plan'), [])
      await detail(page).getByRole('button', { name: 'Cancel it' }).click()
      await said(page, 'is planned no more')
      await page.getByText('Nothing is planned.').waitFor()
      await page.getByRole('button', { name: 'Undo' }).last().click()
      await row(page, '2028年度 進級').waitFor()

      assert.deepEqual(admin.faults, [])
    })

    test('the directory moves to OpenLDAP, is looked at there, read only for a while, and comes back', async (t) => {
      const servers = await startLdapServers()
      t.after(() => servers.stop())
      const { provider, replica, password } = servers
      const japanese = await visit(browser, watari, { language: 'ja', scheme: 'light' })
      await enterConsole(japanese, watari.password('admin'))
      const { page } = admin
      await admin.open('/console/people?tab=home')
      await japanese.open('/console/people?tab=home')
      await page.getByText('Everything lies with control').waitFor()
      await japanese.page.getByText('OpenLDAP に移すには').waitFor()
      assert.deepEqual(await consoleFaults(page, 'home-embedded'), [])

      const ca = join(watari.dir, 'home-ca.pem')
      await writeFile(ca, provider.ca)
      const urlOf = ({ port }: { readonly port: number }): string => `ldap://localhost:${port}`
      const where = ['--url', urlOf(provider), '--replica', urlOf(replica), '--base', HOME_BASE]
      const move = ['directory', 'home', 'ldap', ...where, '--password-stdin', '--ca', ca]
      await cli.run(move, password)
      await page.getByText('Edits go to the provider first').waitFor()
      const server = (url: string) => page.getByRole('listitem').filter({ hasText: url })
      await server(urlOf(provider)).getByText('news come from it').waitFor()
      await cli.run(['alias', 'add', '窓口@campus.example', 'kenji@campus.example'])
      await server(urlOf(replica)).getByText('up to date').waitFor()
      await japanese.page.getByText('ここから更新を受信').waitFor()
      assert.deepEqual(await consoleFaults(page, 'home-ldap'), [])
      const shown = await cli.run(['directory', 'home', 'show'])
      assert.match(shown, /well, followed.*\d{14}\.\d{6}Z#/)

      await provider.kill()
      await page.getByText('The provider is away: nothing can be changed').waitFor()
      await server(urlOf(provider)).getByText('✕ away').waitFor()
      await japanese.page.getByText('プロバイダーが応答しないため').waitFor()
      assert.deepEqual(await consoleFaults(japanese.page, 'home-replica'), [])
      await provider.start()
      await page.getByText('Edits go to the provider first').waitFor()

      await page.getByRole('button', { name: 'Live here again' }).click()
      await dialogOf(page).getByLabel(`Enter the base (${HOME_BASE})`).fill(HOME_BASE)
      await dialogOf(page).getByRole('button', { name: 'Live here again' }).click()
      await said(page, 'The directory lives in this installation.')
      await page.getByText('Everything lies with control').waitFor()
      assert.deepEqual([...admin.faults, ...japanese.faults], [])
    })
  },
)
