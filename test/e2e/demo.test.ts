import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { accessFaults, cutTexts, noBrowser, openBrowser, visit } from './browser.ts'
import { install, runProgram, until } from './installation.ts'
import type { Installation } from './installation.ts'

// Runs in the page.
const LONG_PASTE = `(() => {
  const data = new DataTransfer()
  data.setData('text/plain', 'n@else.example\\n'.repeat(3000))
  const paste = { clipboardData: data, bubbles: true, cancelable: true }
  document.querySelector('textarea').dispatchEvent(new ClipboardEvent('paste', paste))
})()`

const HALF_WAY = `(() => {
  const box = document.querySelector('[role=grid]')
  box.scrollTop = box.scrollHeight / 2
})()`

const START = join(import.meta.dirname, '../../bin/start.mjs')

describe('an installation to learn with (--demo)', () => {
  let at: Installation
  const folder = mkdtempSync(join(tmpdir(), 'watari-lists-'))
  const demo = () =>
    JSON.parse(readFileSync(join(at.dir, 'demo.json'), 'utf8')) as {
      isFilled: boolean
      accounts: { username: string; address: string; password: string }[]
    }
  const json = async (...args: string[]) => {
    const ran = await at.watari([...args, '--json'])
    assert.equal(ran.status, 0, ran.stderr)
    return JSON.parse(ran.stdout)
  }
  const filled = () =>
    until('the demonstration is filled', () => at.output().includes('demo ready'))

  before(async () => {
    at = await install({ bind: ['127.0.0.1'], args: ['--demo'] })
    await filled()
  })
  after(async () => {
    await at.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  test('has fifty people with passwords for its owner alone, and groups', async () => {
    const { accounts, isFilled } = demo()
    assert.ok(isFilled)
    assert.equal(accounts.length, 50)
    assert.equal(statSync(join(at.dir, 'demo.json')).mode & 0o777, 0o600)
    assert.equal((await json('user', 'ls')).items.length, 53)
    const found = await json('user', 'ls', '--search', 'たかはし')
    assert.equal(found.items[0].name, '髙橋 舞')
    assert.equal((await json('alias', 'ls')).items.length, 3)
  })

  test('has mail of every class, one that waits for somebody to look, and one that was refused', async () => {
    const mailboxes = async () => {
      const { items } = await json('mailbox', 'ls', 'hanako')
      return Object.fromEntries(
        items.map((row: { name: string; messages: number }) => [row.name, row.messages]),
      )
    }
    await until('all of it has arrived', async () => (await mailboxes())['Junk/SPAM'] === 1)
    const { INBOX: inbox, 'Junk/Suspected SPAM': suspected } = await mailboxes()
    assert.ok(inbox >= 9, String(inbox))
    assert.equal(suspected, 1)
    const held = (await json('queue', 'ls')).items
    assert.deepEqual(
      held.map((row: { from: string }) => row.from),
      ['archive@partner.example'],
    )
    const traced = await at.watari(['trace', 'invoice@billing.example'])
    assert.match(traced.stdout, /Eicar/i)
  })

  test('has an alarm by a true cause: the directory of its library is away', async () => {
    await until('it was asked', async () => {
      const { items } = await json('directory', 'sources', 'ls')
      return items.length === 1 && items[0].state === 'away'
    })
  })

  test('has lists with what was posted, and what waits for a moderator', async () => {
    const posts = (await json('list', 'posts', 'econ-seminar')).items
    assert.deepEqual(
      posts.map((row: { number: number; recipients: number }) => [row.number, row.recipients]),
      [
        [2, 9],
        [1, 9],
      ],
    )
    assert.equal((await json('list', 'posts', 'exchange', '--held')).items.length, 2)
  })

  test(
    'has its lists managed in the browser, by an owner without a role',
    { skip: noBrowser },
    async () => {
      const browser = await openBrowser()
      try {
        const visitor = await visit(browser, at, { language: 'ja', scheme: 'light' })
        const { page } = visitor
        await visitor.open('/lists/econ-seminar@campus.example')
        const owner = demo().accounts.find(({ username }) => username === 'tanaka.hiroshi')!
        await page.keyboard.type('tanaka.hiroshi')
        await page.keyboard.press('Tab')
        await page.keyboard.type(owner.password)
        await page.keyboard.press('Enter')
        await page.getByText('青木 陽菜').waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.getByRole('button', { name: 'メンバーを追加' }).click()
        const box = page.getByRole('textbox', { name: '氏名・ユーザー名・アドレス' })
        // Thousands of lines are put in as a whole: line by line Chromium takes minutes.
        await page.evaluate(LONG_PASTE)
        assert.equal((await box.inputValue()).length, 45_000)
        await box.fill('suzuki.ken\n髙橋 舞\nだれか\nhanako')
        await page.getByRole('button', { name: '誰のことかを確認する' }).click()
        await page.getByText('該当者が見つかりません').first().waitFor()
        await page.getByText('登録済み').first().waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.getByRole('button', { name: '2 件を追加' }).click()
        await page.getByText('2 件を追加しました。').waitFor()
        await page.getByRole('gridcell', { name: '髙橋 舞', exact: true }).waitFor()
        await page.getByRole('button', { name: '元に戻す' }).click()
        await page.getByText('元に戻しました。').waitFor()
        await page
          .getByRole('gridcell', { name: '髙橋 舞', exact: true })
          .waitFor({ state: 'detached' })
        await page.getByRole('button', { name: 'メンバーを追加' }).click()
        // As Excel of Japan saves it: CP932.
        const buffer = Buffer.from('8e8196bc0d0a97e996d8208c920d0a82be82ea82a90d0a', 'hex')
        const file = { name: '名簿.csv', mimeType: 'text/csv', buffer }
        await page.locator('input[type=file]').setInputFiles(file)
        await page.getByRole('button', { name: '誰のことかを確認する' }).click()
        await page.getByText('該当者が見つかりません').first().waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.keyboard.press('Escape')
        // Whoever fits a condition, shown before they are in; what is wrong is told at its field.
        await page.getByRole('button', { name: '条件で追加' }).click()
        await page.getByLabel('条件（LDAP フィルター）').fill('(tag=学生')
        await page.getByRole('button', { name: '誰のことかを確認する' }).click()
        await page.getByText('条件の書き方に誤りがあります（8 文字目）。').waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.getByLabel('条件（LDAP フィルター）').fill('(tag=学生)')
        await page.getByLabel('値', { exact: true }).fill('経済学部')
        await page.keyboard.press('Enter')
        await page.getByRole('button', { name: '誰のことかを確認する' }).click()
        await page.getByText('現在 7 人が該当します。').waitFor()
        await page.getByText('青木 陽菜 · e25001@campus.example').waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.getByRole('button', { name: '追加（現在 7 人）' }).click()
        await page.getByText('条件を追加しました。').waitFor()
        await page.getByText('(&(tag=学生)(tag=経済学部))').waitFor()
        await page.getByRole('button', { name: '元に戻す' }).last().click()
        await page.getByText('(&(tag=学生)(tag=経済学部))').waitFor({ state: 'detached' })
        await page.getByRole('link', { name: '投稿' }).click()
        await page.getByPlaceholder('件名・差出人・本文の語句').fill('発表')
        await page.getByText('Re: 次回の発表').click()
        await page.getByText(/資料は前日までに送ります/).waitFor()
        assert.match(page.url(), /\/lists\/econ-seminar%40campus\.example\/posts\/2$/)
        // From a post to those beside it, by keys and by links.
        const text = page.locator('.post-text')
        await page.getByText('スレッド 2/2').waitFor()
        await page.keyboard.press('p')
        await text.getByText('次回は青木さんと石川さん').waitFor()
        await page.keyboard.press('k')
        await text.getByText('資料は前日までに').waitFor()
        await page.getByRole('link', { name: '古い投稿' }).click()
        await text.getByText('次回は青木さんと石川さん').waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.keyboard.press('Escape')
        await page.getByPlaceholder('件名・差出人・本文の語句').waitFor()
        await page.getByRole('link', { name: '設定' }).click()
        await page.getByRole('button', { name: '保存' }).waitFor()
        assert.deepEqual(await accessFaults(page), [])
        const sizeMax = async (): Promise<unknown> => {
          const shown = await at.watari(['list', 'show', 'econ-seminar@campus.example', '--json'])
          return (JSON.parse(shown.stdout) as { sizeMaxBytes?: number }).sizeMaxBytes
        }
        await page.getByLabel('投稿の最大サイズ（MB）').fill('1.5')
        await page.getByRole('button', { name: '保存' }).click()
        await page.getByText('保存しました。').waitFor()
        assert.equal(await sizeMax(), 1_500_000)
        await page.locator('.notice').getByRole('button', { name: '元に戻す' }).last().click()
        await until('it is as it was', async () => (await sizeMax()) === undefined)
        await page.goto(
          `https://localhost:${at.port(443)}/lists/econ-seminar@campus.example/posts/77`,
        )
        await page.getByText('77 番の投稿はありません').waitFor()
        await page.getByRole('link', { name: '投稿の一覧へ' }).click()
        await page.getByText('Re: 次回の発表').waitFor()
        assert.deepEqual(visitor.faults, [])
        // What is open to everybody is joined, its posts gathered, and left, by oneself.
        await page.goto(`https://localhost:${at.port(443)}/lists?tab=open`)
        const birds = page.getByRole('row').filter({ hasText: '野鳥の会' })
        await birds.getByRole('button', { name: '参加する' }).click()
        await page.getByText('野鳥の会 に参加しました').waitFor()
        await page.getByRole('link', { name: '自分のリスト' }).click()
        await birds.getByRole('combobox').selectOption('digest')
        await page.getByText('受信方法を').waitFor()
        assert.deepEqual(await accessFaults(page), [])
        const leave = birds.getByRole('button', { name: '野鳥の会 を退会' })
        await leave.click()
        await page.getByRole('dialog').waitFor()
        assert.deepEqual(await cutTexts(page), [])
        await page.getByRole('button', { name: 'やめる' }).click()
        await page.getByRole('dialog').waitFor({ state: 'detached' })
        assert.equal(await leave.and(page.locator(':focus')).count(), 1)
        await leave.click()
        await page.getByRole('dialog').getByRole('button', { name: '退会' }).click()
        await birds.waitFor({ state: 'detached' })
        assert.deepEqual(visitor.faults, [])
        // A list of others is not opened, nor told of.
        await page.goto(`https://localhost:${at.port(443)}/lists/exchange@campus.example`)
        await page.getByRole('heading', { name: 'ページが見つかりません' }).waitFor()
        assert.deepEqual(await accessFaults(page), [])
        await page.getByRole('link', { name: '最初のページへ' }).click()
        await page.getByRole('link', { name: '自分のリスト' }).waitFor()
      } finally {
        await browser.close()
      }
    },
  )

  test(
    'has the last of thousands of members as near as the first, and the scrollbar true',
    { skip: noBrowser },
    async () => {
      const file = join(folder, 'big.csv')
      const rows = Array.from({ length: 3_000 }, (_, n) => `p${1_000 + n}@else.example`)
      writeFileSync(file, ['address', ...rows, ''].join('\n'))
      await json('list', 'create', 'big', '--owner', 'tanaka.hiroshi')
      await json('list', 'member', 'import', 'big', file)
      const browser = await openBrowser()
      try {
        const visitor = await visit(browser, at, { language: 'ja', scheme: 'light' })
        const { page } = visitor
        await visitor.open('/lists/big@campus.example')
        const owner = demo().accounts.find(({ username }) => username === 'tanaka.hiroshi')!
        await page.keyboard.type('tanaka.hiroshi')
        await page.keyboard.press('Tab')
        await page.keyboard.type(owner.password)
        await page.keyboard.press('Enter')
        await page.getByText('p1000@else.example').first().waitFor()
        const asked: string[] = []
        page.on('request', (request) => {
          if (request.url().includes('/members?')) asked.push(request.url())
        })
        const table = page.getByRole('grid')
        await table.focus()
        await page.keyboard.press('End')
        const active = page.locator('.table-active')
        await active.getByText('p3999@else.example').first().waitFor()
        assert.equal(asked.length, 1, asked.join('\n'))
        await page.keyboard.press('PageUp')
        await page.keyboard.press('k')
        const place = Number(await active.getAttribute('aria-rowindex'))
        assert.ok(place > 2_900 && place < 3_000, String(place))
        await active
          .getByText(`p${place + 998}@else.example`)
          .first()
          .waitFor()
        // By the scrollbar: half way down is the row in the middle.
        await page.evaluate(HALF_WAY)
        await page.getByText('p2500@else.example').first().waitFor()
        await table.focus()
        await page.keyboard.press('Home')
        await active.getByText('p1000@else.example').first().waitFor()
        assert.deepEqual(visitor.faults, [])
      } finally {
        await browser.close()
      }
    },
  )

  test(
    'has what waits read before it is decided about, with the keyboard, on a phone',
    { skip: noBrowser },
    async () => {
      const browser = await openBrowser()
      try {
        const look = { language: 'en', scheme: 'dark', width: 390, height: 844 } as const
        const visitor = await visit(browser, at, look)
        const { page } = visitor
        await visitor.open('/lists/exchange@campus.example?tab=waiting')
        const owner = demo().accounts.find(({ username }) => username === 'emma.clarke')!
        await page.keyboard.type('emma.clarke')
        await page.keyboard.press('Tab')
        await page.keyboard.type(owner.password)
        await page.keyboard.press('Enter')
        const table = page.getByRole('grid')
        await table.getByText('Where do I get').waitFor()
        await table.focus()
        await page.keyboard.press('j')
        await page.keyboard.press('Enter')
        await page.getByText('Hello, I am new here.').waitFor()
        assert.match(page.url(), /id=2/)
        assert.deepEqual(await accessFaults(page), [])
        assert.deepEqual(await cutTexts(page), [])
        await page.getByRole('button', { name: 'Discard' }).click()
        await page.getByText('1 post discarded.').waitFor()
        await table.getByText('Where do I get').waitFor({ state: 'detached' })
        await page.getByRole('button', { name: 'Undo' }).click()
        await table.getByText('Where do I get').waitFor()
        await table.focus()
        await page.keyboard.press('Home')
        await page.keyboard.press('x')
        await page.getByText('1 post chosen').waitFor()
        await page.getByLabel('Choose all').check()
        await page.getByText('2 posts chosen').waitFor()
        await page.getByRole('button', { name: 'Post', exact: true }).click()
        await page.getByText('2 posts sent.').waitFor()
        assert.deepEqual(visitor.faults, [])
      } finally {
        await browser.close()
      }
      const traced = await at.watari(['trace', 'exchange@campus.example'])
      assert.equal(traced.stdout.match(/list\.read .*emma\.clarke/g)?.length, 1, traced.stdout)
    },
  )

  test('has its lists managed by the command line', async () => {
    const list = 'kenkyu@campus.example'
    const made = await json('list', 'create', list, '--owner', 'tanaka.hiroshi', '--name', '研究会')
    assert.equal(made.owners[0].address, 'tanaka.hiroshi@campus.example')
    const add = ['list', 'member', 'add', list, 'hanako', '髙橋 舞', 'jimu', 'だれか']
    const look = await at.watari([...add, '--dry-run'])
    assert.match(look.stdout, /だれか +unknown/)
    assert.match(look.stdout, /nothing was done; it would be: 3 added/)
    assert.equal((await json(...add)).rows.length, 4)
    assert.equal((await json('list', 'member', 'ls', list)).items.length, 3)
    // Each person of the group once.
    assert.equal((await json('list', 'member', 'ls', list, '--resolved')).items.length, 7)
    await json('list', 'member', 'set', list, 'hanako', '--delivery', 'digest')
    assert.equal((await json('list', 'member', 'rm', list, 'jimu')).changed, 1)
    const before = await json('list', 'member', 'ls', list, '--on', '2020-01-01')
    assert.deepEqual(before.items, [])
    const rules = ['posting=announce', 'subjectTag=[研究:%n]', '--moderator', 'sato.yuki']
    const set = await at.watari(['list', 'settings', list, ...rules])
    assert.match(set.stdout, /posting: +announce/)
    const shown = await json('list', 'settings', list, '--remove-moderator', 'sato.yuki')
    assert.deepEqual([shown.moderators, shown.subjectTag], [[], '[研究:%n]'])
    assert.equal((await at.watari(['list', 'settings', list, 'x=1'])).status, 2)
    const of = await json('list', 'of', 'hanako')
    assert.ok(of.items.some((row: { address: string }) => row.address === list))
    await json('list', 'delete', list)
    assert.equal((await at.watari(['list', 'show', list])).status, 1)
    await json('list', 'undelete', list)
    assert.match((await at.watari(['list', 'ls', '--search', '研究'])).stdout, /kenkyu@/)
  })

  test('takes over lists of another list manager, looked at first', async () => {
    mkdirSync(join(folder, 'lists', 'kenkyukai'), { recursive: true })
    // Of Sympa, in two files.
    const dir = join(folder, 'lists', 'kenkyukai')
    writeFileSync(
      join(dir, 'config'),
      'subject 研究会\n\nsend private\n\nowner\nemail tanaka.hiroshi@campus.example\n\nhost campus.example\n',
    )
    writeFileSync(
      join(dir, 'member.dump'),
      'email hanako@lab.campus.example\n\nemail guest@partner.example\ngecos 客員\n',
    )
    writeFileSync(join(dir, 'stats'), '41 1 1 1\n')
    const args = ['list', 'import', '--from', 'sympa', folder]
    const look = await at.watari([...args, '--dry-run'])
    assert.equal(look.status, 0, look.stderr)
    assert.match(look.stdout, /kenkyukai@campus\.example +added +1 +0 +1/)
    assert.match(look.stdout, /stays an address: guest@partner\.example/)
    assert.match(look.stdout, /nothing was done; it would be: 1 list added/)
    const { rows } = await json(...args)
    assert.deepEqual(rows[0].members, { account: 1, list: 0, group: 0, address: 1 })
    const again = await at.watari(args)
    assert.match(again.stdout, /0 lists added, 0 changed, 1 the same, 0 refused/)
    const none = await at.watari(['list', 'import', '--from', 'fml', folder])
    assert.equal(none.status, 1)
    assert.match(none.stderr, /no list of fml is in .*config\.ph/)
    assert.equal((await at.watari(['list', 'import', '--from', 'x', folder])).status, 2)
  })

  test('is filled once, and no other installation is', async () => {
    const { accounts } = demo()
    await at.stop()
    await at.start()
    await filled()
    assert.equal((await json('user', 'ls')).items.length, 53)
    assert.deepEqual(demo().accounts, accounts)
    await at.stop()
    rmSync(join(at.dir, 'demo.json'))
    const other = await runProgram(process.execPath, [START, '--data', at.dir, '--demo'])
    assert.equal(other.status, 1)
    assert.match(other.stderr, /is an installation already; give --demo a new folder/)
  })
})
