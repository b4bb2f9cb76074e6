import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { corpusMails } from '#test/corpus/mails.ts'

import { noBrowser, openBrowser, visit } from './browser.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import { smtpSend } from './mail.ts'
import { toCrlf } from './mails.ts'
import { lookFaults } from './page-looks.ts'

const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`

const LONG = '一続きの長い件名がどこまでも続きます'
/** A header line is 998 octets at most (RFC 5322 §2.1.1); a subject of one word cannot be folded. */
const SUBJECT_998 = `=?utf-8?Q?${'a'.repeat(998 - 'Subject: =?utf-8?Q??='.length)}?=`

interface Strange {
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly more?: string
}
/** What is hard to show: long, from right to left, of many code points, without any space. */
const STRANGE: readonly Strange[] = [
  { from: '<nobody@kenkyu.example>', subject: '', text: '件名も名前もありません。' },
  { from: '<a@kenkyu.example>', subject: SUBJECT_998, text: `${'x'.repeat(900)}\r\n` },
  {
    from: `${word('محمد عبد الله')} <m@kenkyu.example>`,
    subject: word('مرحبا بالعالم - 会議'),
    text: 'مرحبا، هذا نص من اليمين إلى اليسار.\r\n\r\nABC 日本語\r\n',
  },
  {
    from: `${word('👩‍👩‍👧‍👦 家族')} <k@kenkyu.example>`,
    subject: word('🎉🎊 おめでとう 👨🏽‍🚀🏳️‍🌈'),
    text: '👩‍👩‍👧‍👦 ありがとう 🙇‍♂️\r\n',
  },
  {
    from: `${word('非常に長い名前の国際渡り鳥研究推進機構事務局広報課担当者'.repeat(3))} <${'long.'.repeat(11)}x@${'sub.'.repeat(30)}kenkyu.example>`,
    subject: word(LONG.repeat(6)),
    text: [
      '田中様',
      '',
      'https://kenkyu.example/' + 'very/long/path/'.repeat(20),
      '',
      '> 前の文章',
      '> 引用が続きます。'.repeat(30),
      '',
      LONG.repeat(20),
    ].join('\r\n'),
    more: `Cc: ${Array.from({ length: 30 }, (_, n) => `${word(`共同研究者 ${n}`)} <c${n}@kenkyu.example>`).join(',\r\n ')}\r\n`,
  },
  {
    from: `${word('佐藤 花子')} <sato@kenkyu.example>`,
    subject: word('明日の会議の資料をお送りします'),
    text: '山田様\r\n\r\nいつもお世話になっております。佐藤です。\r\n明日の会議の資料をお送りします。\r\n\r\nよろしくお願いいたします。\r\n',
  },
]

const octetsOf = ({ from, subject, text, more = '' }: Strange): string =>
  [
    `From: ${from}`,
    'To: hanako@campus.example',
    `Subject: ${subject}`,
    'Date: Wed, 25 Nov 2026 10:00:00 +0900',
    'MIME-Version: 1.0',
    `${more}Content-Type: multipart/mixed; boundary=b`,
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '--b',
    'Content-Type: application/pdf',
    `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(`${LONG.repeat(4)}.pdf`)}`,
    '',
    'x',
    '--b--',
    '',
  ].join('\r\n')

const LONG_BOX = `${'渡り鳥の観察記録'.repeat(5)} and a long name`

/** Each in a mailbox of their own, at the same time. */
const PEOPLE = { ja: 'hanako', en: 'taro' } as const

describe(
  'each page of the webmail, in each size, language and scheme',
  {
    skip: noBrowser ?? false,
    concurrency: true,
  },
  () => {
    let watari: Installation
    let browser: Browser
    before(async () => {
      ;[watari, browser] = await Promise.all([install(), openBrowser()])
      const mails = [
        ...corpusMails()
          .filter(({ octets }) => octets.length < 50_000)
          .slice(0, 12)
          .map(({ octets }) => toCrlf(octets)),
        ...STRANGE.map(octetsOf),
      ]
      const to = Object.values(PEOPLE).map((name) => `${name}@campus.example`)
      for (const content of mails)
        await smtpSend(watari.port(25), { from: 'suzuki@kenkyu.example', to, content })
      for (const name of Object.values(PEOPLE)) {
        const account = await jmap(watari, name)
        const made = await account.call('Mailbox/set', {
          create: { long: { name: LONG_BOX }, empty: { name: '空' } },
        })
        const deep = await account.call('Mailbox/set', {
          create: { deep: { name: '深い', parentId: made.created.long.id } },
        })
        assert.ok(deep.created.deep)
        await until('the mails are there', async () => {
          const { ids } = await account.call('Email/query', { filter: { subject: '明日の会議' } })
          return ids.length === 1
        })
        const kept = ['mailbox', 'retain', `${name}@campus.example`, LONG_BOX, '3']
        assert.equal((await watari.watari(kept)).status, 0)
        const { ids } = await account.call('Email/query', { limit: 1, position: -1 })
        const mailboxIds = { [made.created.long.id]: true }
        await account.call('Email/set', { update: { [ids[0]]: { mailboxIds } } })
      }
    })
    after(async () => {
      await browser?.close()
      await watari?.remove()
    })

    for (const language of ['ja', 'en'] as const)
      it(`cuts no text, runs nowhere beyond the page and leaves axe nothing to say (${language})`, async (t) => {
        const visitor = await visit(browser, watari, { language, scheme: 'light' })
        const { page } = visitor
        const faults: string[] = []
        const startMs = Date.now()
        for (const [name, reach] of Object.entries(pages(watari, PEOPLE[language]))) {
          await page.setViewportSize({ width: 1280, height: 800 })
          await reach(page, visitor.open)
          faults.push(...(await lookFaults(page, `${name}-${language}`, language)))
        }
        t.diagnostic(`${Date.now() - startMs} ms`)
        assert.deepEqual(faults, [])
        assert.deepEqual(visitor.faults, [])
        await visitor.context.close()
      })
  },
)

/** Lets the user hold so much that this share of it is used; undefined: whatever comes. */
async function limitTo(
  watari: Installation,
  username: string,
  share: number | undefined,
): Promise<void> {
  const { stdout } = await watari.watari(['mailbox', 'ls', username, '--json'])
  const { used } = JSON.parse(stdout) as { readonly used: { readonly bytes: number } }
  const quota = share === undefined ? 'default' : String(Math.ceil(used.bytes / share))
  const { status, stderr } = await watari.watari(['user', 'set', username, '--quota', quota])
  assert.equal(status, 0, stderr)
}

type Reach = (page: Page, open: (path: string) => Promise<void>) => Promise<void>

/** How to come to each page from the one before. */
function pages(watari: Installation, username: string): Readonly<Record<string, Reach>> {
  const enter = async (page: Page, password = watari.password(username)): Promise<void> => {
    await page.locator('input[autocomplete=username]').fill(username)
    await page.locator('input[autocomplete=current-password]').fill(password)
    await page.keyboard.press('Enter')
  }
  const close = async (page: Page): Promise<void> => {
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
  }
  const row = (page: Page, text: string) => page.locator('.row-link', { hasText: text })
  return {
    login: async (page, open) => {
      await open('/')
      await page.locator('.login').waitFor()
    },
    'login-wrong': async (page) => {
      await enter(page, 'wrong')
      await page.getByRole('alert').waitFor()
    },
    list: async (page) => {
      await enter(page)
      await row(page, '明日の会議').waitFor()
    },
    account: (page) => page.locator('.account summary').click(),
    reader: async (page) => {
      await page.locator('.account summary').click()
      await row(page, '明日の会議').click()
      await page.locator('.body', { hasText: '佐藤です' }).waitFor()
    },
    'reader-why': async (page) => {
      await page.locator('.why').click()
      await page.locator('.reasons').waitFor()
    },
    'reader-long': async (page) => {
      await row(page, LONG).click()
      await page.locator('.body', { hasText: '田中様' }).waitFor()
    },
    'reader-998': async (page) => {
      await row(page, 'aaaaaaaa').click()
      await page.locator('.subject', { hasText: 'aaaaaaaa' }).waitFor()
    },
    'reader-rtl': async (page) => {
      await row(page, 'مرحبا').click()
      await page.locator('.body', { hasText: 'ABC' }).waitFor()
    },
    'reader-headers': async (page) => {
      await page.locator('.all-headers summary').click()
      await page.locator('.headers dt').first().waitFor()
      await page.locator('.all-headers').scrollIntoViewIfNeeded()
    },
    reply: async (page) => {
      await page.keyboard.press('a')
      await page.locator('.letter-window').waitFor()
    },
    'letter-wrong': async (page) => {
      await page.locator('.letter-window .letter-field input').first().fill('だれか')
      await page.keyboard.press('Control+Enter')
      await page.locator('.letter-objection').waitFor()
    },
    move: async (page) => {
      await page.locator('.letter-window .tool[aria-keyshortcuts=Esc]').click()
      await page.locator('.letter-window').waitFor({ state: 'detached' })
      await page.keyboard.press('v')
      await page.locator('dialog').waitFor()
    },
    help: async (page) => {
      await close(page)
      await page.keyboard.press('?')
      await page.locator('dialog').waitFor()
    },
    selection: async (page, open) => {
      await close(page)
      await open('/mail/inbox')
      await page.locator('.row-select input').nth(1).check()
      await page.locator('.row-select input').nth(2).check()
    },
    told: async (page) => {
      await page.keyboard.press('e')
      await page.locator('.told').waitFor()
    },
    tree: async (page) => {
      await page.keyboard.press('z')
      await page.setViewportSize({ width: 390, height: 844 })
      await page.locator('.tree-opener').click()
      await page.locator('.tree-open').waitFor()
    },
    'box-long': async (page, open) => {
      await open('/mail/inbox')
      await page.locator('.box', { hasText: LONG_BOX }).click()
      await page.locator('.list-kept', { hasText: /^(?:3日で消えます|kept 3 days)$/ }).waitFor()
      const left = /^(?:消えるまで[23]日|[23] days left)$/
      await page.locator('.row .days-left', { hasText: left }).waitFor()
      await page.locator('.row-link').click()
      await page.locator('.letter .days-left', { hasText: left }).waitFor()
    },
    empty: async (page) => {
      await page.locator('.box', { hasText: '空' }).click()
      await page.locator('.nothing').waitFor()
    },
    search: async (page, open) => {
      await open('/mail/inbox?q=会議')
      await row(page, '明日の会議').waitFor()
    },
    'search-nothing': async (page, open) => {
      await open('/mail/inbox?q=どこにもない語')
      await page.locator('.nothing').waitFor()
    },
    destroy: async (page, open) => {
      await open('/mail/inbox')
      await page.locator('.row-select input').nth(8).check()
      await page.keyboard.press('#')
      await page.locator('.told').waitFor()
      await page.locator('.box[href="/mail/trash"]').click()
      await page.locator('.row-select input').first().check()
      await page.keyboard.press('#')
      await page.locator('dialog').waitFor()
    },
    restore: async (page, open) => {
      await open('/mail/trash')
      await page.locator('.row-select input').first().check()
      await page.keyboard.press('#')
      await page.locator('dialog .danger').click()
      await page.locator('.told').waitFor()
      await page.locator('.list-restore').click()
      await page.locator('dialog .expunged input').first().check()
    },
    'quota-near': async (page, open) => {
      await close(page)
      await limitTo(watari, username, 0.93)
      await open('/mail/inbox')
      await page.locator('.meter-near').waitFor()
      assert.match(
        await page.locator('.tree .meter').innerText(),
        /^(?:[\d.]+ KiB のうち [\d.]+ KiB を使用|[\d.]+ KiB of [\d.]+ KiB used)\s+△ (?:残りわずか|nearly full)$/,
      )
      const meter = page.getByRole('meter', { name: /^(?:容量|Storage)$/ })
      assert.match((await meter.getAttribute('aria-valuenow'))!, /^9[23]$/)
    },
    'quota-near-tree': async (page) => {
      await page.setViewportSize({ width: 390, height: 844 })
      await page.locator('.quota-notice-near').waitFor()
      await page.locator('.tree-opener').click()
      await page.locator('.tree-open .meter').waitFor()
    },
    'quota-full': async (page, open) => {
      await limitTo(watari, username, 1.01)
      await open('/mail/inbox')
      await page.locator('.tree .meter-full').waitFor()
      await page
        .getByRole('status')
        .filter({ hasText: /^(?:メールボックスがいっぱいで、|Your mailbox is full, )/ })
        .waitFor()
    },
    away: async (page, open) => {
      await limitTo(watari, username, undefined)
      await open('/mail/inbox')
      await row(page, '明日の会議').waitFor()
      await page.route('**/jmap/**', (route) => route.abort())
      await page.keyboard.press('j')
      await page.locator('.row-link', { hasText: '家族' }).click()
      await page.keyboard.press('s')
      await page.locator('.offline').waitFor()
    },
    ended: async (page, open) => {
      await page.unroute('**/jmap/**')
      await open('/mail/inbox')
      await page.context().clearCookies()
      // What the page asks by itself may find it first: then the list is covered already.
      const star = page.locator('.row-star').first()
      await star.click({ timeout: 5_000 }).catch(() => undefined)
      await page.locator('.login').waitFor()
    },
  }
}
