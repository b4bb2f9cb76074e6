import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { Browser, Page } from 'playwright-core'

import { accessFaults, cutTexts, noBrowser, noJapaneseFont, openBrowser, visit } from './browser.ts'
import { enterConsole } from './console-login.ts'
import { fullHouse } from './full-house.ts'
import type { House } from './full-house.ts'
import { until } from './installation.ts'
import { smtpSend } from './mail.ts'

/** Where pictures of each page stay, for people to look at. */
const KEPT = process.env['WATARI_PICTURES']

const SIZES = [
  [390, 844],
  [1280, 800],
  [1680, 1050],
] as const
const SCHEMES = ['light', 'dark'] as const

/** Rows are alike: axe looks at the first ones. */
const REPEATED = ['.table-body .table-row:nth-child(n + 11)', '.setting:nth-child(n + 11)']

/** One thing to look at: an address, and what is done there first. */
interface Sight {
  readonly name: string
  readonly path: string
  /** What makes it this sight. */
  readonly there?: string
  readonly act?: (page: Page) => Promise<void>
}

const press = (selector: string) => async (page: Page) => {
  await page.locator(selector).first().click()
  await page.getByRole('dialog').waitFor()
}

/** Goes there within the application, as its own links do. */
async function arrive(page: Page, path: string): Promise<void> {
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new Event('popstate'))`,
  )
  await page.locator('h1').waitFor()
}

let house: House
let browser: Browser

/** A mail that has gone the whole way, for the trace. */
async function receiveOne(): Promise<void> {
  const content = [
    'From: =?utf-8?B?5L2Q6Jek?= <sato@kenkyu.example>',
    'To: hanako@campus.example',
    'Subject: =?utf-8?B?5piO5pel44Gu5Lya6K2w?=',
    'Message-ID: <kaigi-20261127@kenkyu.example>',
    `Date: ${new Date().toUTCString()}`,
    '',
    'Watari',
    '',
  ].join('\r\n')
  const mail = { from: 'sato@kenkyu.example', to: ['hanako@campus.example'], content }
  assert.match(await smtpSend(house.port(25), mail), /^250/)
  await until('it is traced into its mailbox', async () =>
    (await house.watari(['trace', 'hanako@campus.example'])).stdout.includes('queue.delivered'),
  )
}

async function sights(): Promise<readonly Sight[]> {
  const { id } = (await house.api('GET', '/users/person-7')) as { readonly id: string }
  const quota = { bytes: 5 * 1024 ** 3, messages: 20_000 }
  await house.api('PATCH', `/users/${id}`, { quota })
  const hanako = (await house.api('PATCH', '/users/hanako', {
    quota: { bytes: null, messages: 1 },
  })) as { readonly id: string }
  const script = { script: 'require ["fileinto"];\n\nkeep;\n', activate: true }
  await house.api('PUT', `/users/${id}/scripts/${encodeURIComponent('会議の振り分け')}`, script)
  const queue = (await house.api('GET', '/queue?limit=1')) as {
    readonly items: readonly { readonly queueId: string }[]
  }
  const person = `/console/people?id=${id}`
  await house.api('PUT', '/directory/sources/honbu', {
    urls: ['ldap://127.0.0.1:1', 'ldaps://[::1]:2'],
    base: 'ou=利用者,dc=campus,dc=example',
    bindDn: 'cn=読み取り専用,dc=campus,dc=example',
    bindPasswordBase64: 'c2VjcmV0',
  })
  const sources = '/console/people?tab=sources'
  await house.api('PATCH', `/users/${id}`, {
    reading: 'ささき りゅうのすけ',
    formerNames: ['渡邉 龍之介'],
    tags: ['2027入学', '法学部'],
    expiresOn: '2099-03-31',
  })
  await house.api('DELETE', '/users/person-50').catch(() => undefined)
  const plan = (await house.api('POST', '/directory/plans', {
    title: '2028年度 進級',
    on: '2099-04-01',
    where: { tags: ['2027入学'] },
    change: { addTags: ['二年'], removeTags: ['一年'], expiresOn: '2099-03-31' },
  })) as { readonly id: string }
  const aliases = '/console/destinations?tab=aliases'
  return [
    { name: 'overview', path: '/console' },
    { name: 'trace', path: '/console/trace' },
    {
      name: 'trace-found',
      path: '/console/trace?q=hanako@campus.example',
      there: '.told .answer',
    },
    { name: 'trace-none', path: '/console/trace?q=nobody@far.example' },
    { name: 'queue', path: '/console/queue' },
    { name: 'queue-none', path: '/console/queue?text=nowhere' },
    { name: 'queue-detail', path: `/console/queue?id=${queue.items[0]!.queueId}` },
    {
      name: 'queue-remove',
      path: '/console/queue?state=held',
      act: async (page) => {
        await page.locator('.table-row input').first().check()
        await page.getByRole('toolbar').getByRole('button').nth(3).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'access-empty', path: '/console/access?q=192.0.2.1' },
    { name: 'access', path: '/console/access' },
    { name: 'access-import', path: '/console/access', act: press('.head > button') },
    { name: 'domains', path: '/console/destinations' },
    { name: 'domain-add', path: '/console/destinations', act: press('.filters > button') },
    { name: 'alias', path: `${aliases}&id=office-5@campus.example` },
    { name: 'forwards', path: '/console/destinations?tab=forwards' },
    {
      name: 'forward-add',
      path: '/console/destinations?tab=forwards',
      act: press('.filters > button'),
    },
    { name: 'route', path: '/console/destinations?tab=routes&id=slow.example' },
    { name: 'people', path: '/console/people' },
    { name: 'person-add', path: '/console/people', act: press('.filters > button') },
    {
      name: 'people-change',
      path: '/console/people?q=person-1',
      act: async (page) => {
        for (const at of [0, 2]) await page.locator('.table-row input').nth(at).check()
        await page.getByRole('toolbar').getByRole('button').first().click()
        await page.locator('dialog input').first().fill('2027年度入学, 法学部')
        await page.locator('dialog .table-row .mark').first().waitFor()
      },
    },
    {
      name: 'people-full',
      path: '/console/people?full=near',
      there: '.table-row .mark-bad',
    },
    { name: 'person', path: person, there: '.meter' },
    { name: 'person-full', path: `/console/people?id=${hanako.id}`, there: '.meter-full' },
    { name: 'person-delete', path: person, act: press('.detail .acts > button:nth-of-type(3)') },
    { name: 'script', path: person, act: press('.detail .as-link') },
    { name: 'source', path: `${sources}&id=honbu`, there: '.detail .mark-bad' },
    { name: 'source-add', path: sources, act: press('.filters > button') },
    {
      name: 'source-change',
      path: `${sources}&id=honbu`,
      act: async (page) => {
        await press('.detail .acts > button:nth-of-type(3)')(page)
        await page.locator('dialog summary').click()
      },
    },
    {
      name: 'source-remove',
      path: `${sources}&id=honbu`,
      act: press('.detail .acts > button:nth-of-type(4)'),
    },
    {
      name: 'explain',
      path: '/console/people?tab=explain&q=person-7@campus.example',
      there: '.answer',
    },
    { name: 'people-deleted', path: '/console/people?deleted=true', there: '.table-row button' },
    { name: 'person-rename', path: person, act: press('.detail .acts > button:nth-of-type(2)') },
    { name: 'plan', path: `/console/people?tab=plans&id=${plan.id}`, there: '.report' },
    {
      name: 'plan-new',
      path: '/console/people?tab=plans',
      act: press('.filters > button'),
    },
    { name: 'import', path: '/console/people?tab=import' },
    {
      name: 'import-seen',
      path: '/console/people?tab=import',
      act: async (page) => {
        const text =
          '氏名,ユーザー名,別名\n渡 鳥子,torico,hanako@campus.example\n,空 白,\n佐々木 直,person-7,\n'
        const buffer = Buffer.from(text)
        await page
          .locator('input[type=file]')
          .setInputFiles({ name: '名簿.csv', mimeType: 'text/csv', buffer })
        await page.locator('.table-body .table-row').nth(2).waitFor()
      },
    },
    { name: 'nodes', path: '/console/nodes' },
    { name: 'node-join', path: '/console/nodes', act: press('.filters > button') },
    { name: 'settings', path: '/console/settings' },
    {
      name: 'settings-review',
      path: '/console/settings?q=received.max',
      act: async (page) => {
        await page.locator('.setting input').first().fill('77')
        await page.locator('.filters > button').first().click()
        await page.getByRole('dialog').waitFor()
      },
    },
    { name: 'history', path: '/console/settings?tab=history' },
    { name: 'generation', path: '/console/settings?tab=history&id=3&against=9' },
    {
      name: 'keys',
      path: '/console',
      act: async (page) => {
        await page.keyboard.press('?')
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'control-away',
      path: '/console/people',
      act: async (page) => {
        await page.route('**/api/v1/**', (route) => route.abort())
        await page.locator('nav.rooms a').nth(4).click()
        await page.getByRole('alert').first().waitFor()
        await page.unrouteAll()
      },
    },
  ]
}

describe(
  'the console in each size, language and light',
  {
    skip: noBrowser ?? false,
    concurrency: true,
  },
  () => {
    before(async () => {
      house = await fullHouse({ people: 60, aliases: 30, queued: 300, generations: 12 })
      await receiveOne()
      browser = await openBrowser()
      if (KEPT !== undefined) mkdirSync(KEPT, { recursive: true })
    })
    after(async () => {
      await browser?.close()
      await house?.remove()
    })

    for (const language of ['ja', 'en'] as const)
      test(`is open to all and shows each text whole, ${language}`, async (t) => {
        const visitor = await visit(browser, house, { language, scheme: 'light' })
        const { page } = visitor
        await enterConsole(visitor, house.password('admin'))
        const wrong: string[] = []
        const cut: string[] = []
        let isFresh = true
        for (const { name, path, there, act } of await sights()) {
          await page.setViewportSize({ width: 1280, height: 800 })
          // A page is loaded anew only after one at which something was done.
          if (isFresh) await arrive(page, path)
          else await visitor.open(path)
          isFresh = act === undefined
          await page.locator('main .mantine-Skeleton-root').waitFor({ state: 'detached' })
          if (there !== undefined) await page.locator(there).first().waitFor()
          await act?.(page)
          for (const [width, height] of SIZES) {
            await page.setViewportSize({ width, height })
            for (const colorScheme of SCHEMES) {
              await page.emulateMedia({ colorScheme })
              const here = (each: string): string => `${name} ${width} ${colorScheme}: ${each}`
              // What axe looks at is the same in both languages: each size and light once.
              if (
                isAxesTurn(language, width, colorScheme) &&
                (act === undefined || width === 390)
              ) {
                const what = colorScheme === 'light' ? 'all' : 'colours'
                wrong.push(...(await accessFaults(page, REPEATED, what)).map(here))
              }
              if (colorScheme === 'light') cut.push(...(await cutTexts(page)).map(here))
              if (KEPT !== undefined)
                await page.screenshot({
                  path: join(KEPT, `${name}-${language}-${width}-${colorScheme}.png`),
                })
            }
          }
        }
        assert.deepEqual(wrong, [])
        const noFont = language === 'ja' ? await noJapaneseFont(page) : undefined
        await t.test('each text is whole', { skip: noFont ?? false }, () =>
          assert.deepEqual(cut, []),
        )
        assert.equal(await page.evaluate('document.documentElement.lang'), language)
        assert.deepEqual(visitor.faults, [])
        await visitor.context.close()
      })
  },
)

const isAxesTurn = (language: 'ja' | 'en', width: number, scheme: 'light' | 'dark'): boolean =>
  (language === 'ja') === ((width === 1_280) === (scheme === 'dark'))
