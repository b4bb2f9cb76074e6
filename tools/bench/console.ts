import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CDPSession, Page } from 'playwright-core'
import { DAY_MS, systemClock } from '#base/time.ts'
import { noBrowser, openBrowser, visit } from '#test/e2e/browser.ts'
import { enterConsole } from '#test/e2e/console-login.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { fillGenerations } from './fill.ts'
import { fill, ROWS } from './queue.ts'
import { median, table, type Part } from './setup.ts'
import { apiOf } from './simulated-node.ts'
import { longestOf, loopDelays } from './standstill.ts'

const GENERATIONS = 10_000
const TIMES = 5
/** A page holds 400,000: as many as a browser can be scrolled through, which takes minutes. */
const SCROLLED = Number(process.env['WATARI_BENCH_SCROLLED'] ?? 20_000)
/** A list that has come no further for so long stands at its end. */
const STILL_MS = 10_000

/** The console before a queue and a history of years: what the API costs its roles, and what the page costs the browser. */
export const consoles: Part = {
  name: 'console',
  what: `the console in Chromium before ${ROWS.toLocaleString('en')} messages and ${GENERATIONS.toLocaleString('en')} generations: pages, filters, scrolling, memory`,
  needsPeers: false,
  async run(say) {
    const ours = await install({ bind: ['127.0.0.1'] })
    try {
      await ours.stop()
      // A spool that is named is taken as it stands: filling is not what is measured.
      const kept = process.env['WATARI_BENCH_SPOOL']
      if (kept === undefined) fill(join(ours.dir, 'gateway'), say)
      else cpSync(kept, join(ours.dir, 'gateway'), { recursive: true })
      fillGenerations(join(ours.dir, 'control', 'settings.db'), GENERATIONS)
      await ours.start()
      await askApi(ours, say)
      if (noBrowser === undefined) await browse(ours, say)
      else say(noBrowser)
    } finally {
      await ours.remove()
    }
  },
}

/** Each filter as the page asks for it, a page of 100; how long the two roles on the way stood still meanwhile. */
async function askApi(ours: Installation, say: (line: string) => void): Promise<void> {
  const api = apiOf(ours)
  const half = encodeURIComponent(new Date(systemClock.nowMs() - DAY_MS / 2).toISOString())
  const nowhere = 'nowhere.example'
  const text = encodeURIComponent('どこにもない')
  const { mark } = (await api('GET', '/queue/news')) as { readonly mark: string }
  const until = `until=${encodeURIComponent(mark)}`
  const asked: readonly (readonly [string, string])[] = [
    ['queue', `/queue?limit=100&${until}`],
    ['queue, newest', `/queue?limit=100&order=newest&${until}`],
    ['queue, held', `/queue?limit=100&state=held&${until}`],
    ['queue, failed: none', `/queue?limit=100&state=failed&${until}`],
    ['queue, older than half a day', `/queue?limit=100&before=${half}&${until}`],
    ['queue, common domain', `/queue?limit=100&domain=campus.example&${until}`],
    ['queue, no such domain', `/queue?limit=100&domain=${nowhere}&${until}`],
    ['queue, no such text', `/queue?limit=100&text=${text}&${until}`],
    ['queue, held, no such text', `/queue?limit=100&state=held&text=${text}&${until}`],
    ['what is new', `/queue/news?since=${encodeURIComponent(mark)}`],
    ['overview', '/overview'],
    ['history', '/settings/history?limit=100'],
    ['history, the end', '/settings/history?limit=100&after=101'],
    ['generation 3', '/settings/history/3'],
    ['diff of 3 and 9,876', '/settings/diff?from=3&to=9876'],
  ]
  const rows = [['the API', 'median ms', 'longest ms', 'control stood', 'gateway stood']]
  for (const [what, path] of asked) {
    const took: number[] = []
    const stood = await standing(ours)
    for (let i = 0; i < TIMES; i++) {
      const began = performance.now()
      await api('GET', path)
      took.push(performance.now() - began)
    }
    rows.push([what, ms(median(took)), ms(Math.max(...took)), ...(await stood())])
  }
  say(table(rows))
}

/** How long control and the gateway stood still from now until the returned function is called. */
async function standing(ours: Installation): Promise<() => Promise<string[]>> {
  const both = () => Promise.all([loopDelays(ours, 'control'), loopDelays(ours, 'gateway')])
  await sleep(1_100) // roles tell it once a second
  const [control, gateway] = await both()
  return async () => {
    await sleep(1_100)
    const [controlNow, gatewayNow] = await both()
    return [longestOf(control, controlNow), longestOf(gateway, gatewayNow)]
  }
}

async function browse(ours: Installation, say: (line: string) => void): Promise<void> {
  const browser = await openBrowser()
  try {
    const visitor = await visit(browser, ours, { language: 'ja', scheme: 'light' })
    await enterConsole(visitor, ours.password('admin'))
    const { page, context } = visitor
    const cdp = await context.newCDPSession(page)
    const rows = [['in the browser', 'ms', 'heap MiB', 'rows', 'elements', 'control stood']]
    const measure = async (what: string, act: () => Promise<unknown>): Promise<void> => {
      const stood = await standing(ours)
      const began = performance.now()
      const count = await act()
      const took = performance.now() - began
      const [control] = await stood()
      rows.push([what, ms(took), ...(await sizesOf(page, cdp, count)), control!])
      say(rows.at(-1)!.join(' | '))
    }
    for (const [what, act] of acts(page)) await measure(what, act)
    say(table(rows))
    if (visitor.faults.length > 0) say(visitor.faults.join('\n'))
  } finally {
    await browser.close()
  }
}

type Act = readonly [what: string, act: () => Promise<unknown>]

function acts(page: Page): readonly Act[] {
  const rows = page.locator('.table-body .table-row:not(.table-coming)')
  const openRoom = async (room: string): Promise<void> => {
    await page.locator(`nav.rooms a[href^="/console/${room}"]`).click()
    await rows.first().waitFor()
  }
  const type = (value: string, there: string) => async () => {
    await page.locator('.filters input').first().fill(value)
    await page.keyboard.press('Enter')
    await page.locator(there).first().waitFor()
  }
  const choose = (nth: number, value: string) => async () => {
    await page.locator('.filters select').nth(nth).selectOption(value)
    await rows.first().waitFor()
  }
  const history = page.locator('.detail')
  return [
    ['the queue opens', () => openRoom('queue')],
    ['held', choose(0, 'held')],
    ['older than an hour', choose(1, 'hour')],
    ['the newest first', choose(2, 'newest')],
    ['all states, of all ages', () => choose(0, '')().then(choose(1, ''))],
    ['domain 大学.example', type('大学.example', '.table-row:has-text("大学.example")')],
    ['no filter', () => page.goto(new URL('/console/queue', page.url()).href)],
    ['the history opens', () => openHistory(page)],
    ['scrolled to generation 1', () => scroll(page, Infinity)],
    [
      'generation 3 by its number',
      async () => {
        await page.locator('input[name=number]').fill('3')
        await page.keyboard.press('Enter')
        await history.getByRole('heading', { name: '3' }).first().waitFor()
      },
    ],
    [
      'its difference to 9,876',
      async () => {
        await history.locator('.number-field').fill('9876')
        await history.getByText('10,009,876').or(history.getByText('10009876')).first().waitFor()
      },
    ],
    ['back to it', () => rollBack(page)],
    ['the queue again', () => page.goto(new URL('/console/queue', page.url()).href)],
    [`scrolled through ${SCROLLED.toLocaleString('en')}`, () => scroll(page, SCROLLED)],
    ['back to the first', () => page.keyboard.press('Home').then(() => rows.first().waitFor())],
  ]
}

async function openHistory(page: Page): Promise<void> {
  await page.goto(new URL('/console/settings?tab=history', page.url()).href)
  await page.locator('.table-body .table-row:not(.table-coming)').first().waitFor()
}

async function rollBack(page: Page): Promise<void> {
  await page.locator('.detail .acts > button').last().click()
  const dialog = page.getByRole('dialog')
  await dialog.locator('.acts > button:enabled').first().click()
  await dialog.waitFor({ state: 'detached' })
  await page.locator('.notice').first().waitFor()
}

/** Goes to the end of what is known again and again, until that holds so many rows or grows no more; how many there are. */
async function scroll(page: Page, rowsMax: number): Promise<number> {
  await page.locator('.table').focus()
  return page.evaluate(scrollScript(rowsMax === Infinity ? 1e9 : rowsMax))
}

// Runs in the page.
const scrollScript = (most: number): string => `(async () => {
  const box = document.querySelector('.table')
  const body = document.querySelector('.table-body')
  const rowPx = document.querySelector('.table-body .table-row').getBoundingClientRect().height
  const count = () => Math.round(parseFloat(body.style.height) / rowPx)
  let before = 0
  for (let since = performance.now(); performance.now() - since < ${STILL_MS};) {
    const now = count()
    if (now !== before) since = performance.now()
    before = now
    if (now >= ${most} || box.getAttribute('aria-rowcount') !== '-1') return now
    box.scrollTop = box.scrollHeight
    await new Promise(requestAnimationFrame)
  }
  return before
})()`

/** What the page holds once what it has let go is collected. */
async function sizesOf(page: Page, cdp: CDPSession, count: unknown): Promise<string[]> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  const elements = await page.evaluate<number>(`document.querySelectorAll('*').length`)
  const rows = typeof count === 'number' ? count.toLocaleString('en') : ''
  return [(usedSize / 2 ** 20).toFixed(1), rows, String(elements)]
}

const ms = (value: number): string => value.toFixed(0)
