import type { Browser, Page } from 'playwright-core'

import { noBrowser, openBrowser, visit } from '#test/e2e/browser.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { median, table, type Part } from './setup.ts'

const ROUNDS = 5

interface Measured {
  readonly path: string
  /** Whose session it needs; absent: a login. */
  readonly as?: 'mail' | 'console'
  /** What is there when a person can begin. */
  readonly there: string
}
const KEYS = '?'
const PAGES: readonly Measured[] = [
  { path: '/', there: '.login' },
  { path: '/mail/inbox', as: 'mail', there: '.list-count:not(:empty)' },
  { path: '/mail/inbox?q=%E6%B8%A1%E3%82%8A', as: 'mail', there: '.nothing' },
  { path: '/console', there: '.login' },
  { path: '/console', as: 'console', there: '.corridor' },
  ...['trace', 'queue', 'people', 'access', 'nodes', 'settings'].map((room) => ({
    path: `/console/${room}`,
    as: 'console' as const,
    there: 'h1',
  })),
]

/** Each page in this machine's Chromium: until the first input is answered, and what comes over the wire. */
export const pages: Part = {
  name: 'pages',
  what: 'each web page in Chromium: ms from navigation to the first input answered, octets of a first load',
  needsPeers: false,
  async run(say) {
    if (noBrowser !== undefined) return say(noBrowser)
    const [ours, browser] = await Promise.all([install(), openBrowser()])
    try {
      say(
        `Chromium ${browser.version()}, median of ${ROUNDS}; first: an empty cache, again: the same browser`,
      )
      const rows = [['page', 'first ms', 'again ms', 'octets', 'requests']]
      for (const page of PAGES)
        rows.push(
          await measure(ours, browser, page).catch((cause: unknown) => {
            throw new Error(`${page.path}: ${String(cause)}`, { cause })
          }),
        )
      say(table(rows))
    } finally {
      await browser.close()
      await ours.remove()
    }
  },
}

async function measure(ours: Installation, browser: Browser, of: Measured): Promise<string[]> {
  const first: number[] = []
  const again: number[] = []
  let wire = { bytes: 0, requests: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const visitor = await visit(browser, ours, { language: 'ja', scheme: 'light' })
    const { page, context } = visitor
    const origin = `https://localhost:${ours.port(443)}`
    if (of.as !== undefined) await login(ours, context.request, { origin, as: of.as })
    wire = { bytes: 0, requests: 0 }
    page.on('response', (response) => {
      wire.requests++
      wire.bytes += Number(response.headers()['content-length'] ?? 0)
    })
    first.push(await answeredMs(page, `${origin}${of.path}`, of))
    const { bytes, requests } = wire
    again.push(await answeredMs(page, `${origin}${of.path}`, of))
    wire = { bytes, requests }
    await context.close()
  }
  const name = of.as === undefined ? `${of.path} (login)` : decodeURI(of.path)
  return [name, ms(first), ms(again), String(wire.bytes), String(wire.requests)]
}

const ms = (values: readonly number[]): string => median(values).toFixed(0)

/** A key is pressed as soon as the page is there; told by the page's own clock, which began with the navigation. */
async function answeredMs(page: Page, url: string, of: Measured): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' })
  await page.locator(of.there).first().waitFor()
  await page.keyboard.press(of.as === undefined ? 'a' : KEYS)
  const answered =
    of.as === undefined
      ? `document.querySelector('input[autocomplete=username]').value === 'a'`
      : `document.querySelector('dialog[open]') !== null`
  const at = await page.waitForFunction(`${answered} && performance.now()`)
  return (await at.jsonValue()) as number
}

async function login(
  ours: Installation,
  request: Page['request'],
  to: { readonly origin: string; readonly as: 'mail' | 'console' },
): Promise<void> {
  const username = to.as === 'mail' ? 'hanako' : 'admin'
  const path = to.as === 'mail' ? '/auth/login' : '/api/v1/session'
  const data = { username, password: ours.password(username) }
  const response = await request.post(`${to.origin}${path}`, { data })
  if (!response.ok()) throw new Error(`login: ${response.status()}`)
}
