import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import type { Browser, CDPSession, Page } from 'playwright-core'

import { noBrowser, openBrowser, visit } from './browser.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'

/** `npm run soak` takes 100,000. */
const MAILS = Number(process.env['WATARI_WEB_MAILS'] ?? 5_000)
const BATCH = 500
const AT_ONCE = 4
const ROW_PX = 76
/** A page of rows. */
const ASKED_BYTES_MAX = 3_000
const ANSWER_BYTES_MAX = 100_000
/** What a page may keep after it has shown all of them; the first look at a list is in it. */
const HEAP_GROWTH_BYTES_MAX = 8_000_000
const ROWS_ON_PAGE_MAX = 60

describe(`a mailbox of ${MAILS} mails in Chromium`, { skip: noBrowser ?? false }, () => {
  let watari: Installation
  let browser: Browser
  let hanako: JmapClient
  let page: Page
  let devtools: CDPSession
  let inbox: string
  let blobs: readonly string[]
  let expected: string[] = []
  const wire = { pages: 0, unanswered: 0, asked: 0, answer: 0 }

  before(async () => {
    ;[watari, browser] = await Promise.all([install(), openBrowser({ hasScrollBars: true })])
    hanako = await jmap(watari, 'hanako')
    const { list } = await hanako.call('Mailbox/get', { ids: null, properties: ['role'] })
    inbox = list.find(({ role }: { role: string }) => role === 'inbox').id
    blobs = await Promise.all(['渡り鳥', '会議', 'Meeting'].map((subject) => upload(subject)))
    for (let n = 0; n < MAILS; n += BATCH * AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, more) => n + more * BATCH)
          .filter((first) => first < MAILS)
          .map((first) => fill(first, Math.min(BATCH, MAILS - first))),
      )
    expected = await allIds()
    assert.equal(expected.length, MAILS)
  })
  after(async () => {
    await browser?.close()
    await watari?.remove()
  })

  const upload = async (subject: string): Promise<string> => {
    const content = `From: =?utf-8?B?6Yi05pyo?= <suzuki@kenkyu.example>\r\nSubject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${subject}の本文です。\r\n`
    const url = hanako.session['uploadUrl']!.replace('{accountId}', hanako.accountId)
    const response = await hanako.fetch(url, { method: 'POST', body: content })
    return ((await response.json()) as { blobId: string }).blobId
  }
  /** Mails of one minute after the other, so that their order is known. */
  const fill = async (first: number, count: number): Promise<void> => {
    const emails = Object.fromEntries(
      Array.from({ length: count }, (_, n) => [
        `m${n}`,
        {
          blobId: blobs[(first + n) % blobs.length],
          mailboxIds: { [inbox]: true },
          receivedAt: new Date(Date.UTC(2026, 0, 1) + (first + n) * 60_000)
            .toISOString()
            .replace('.000', ''),
        },
      ]),
    )
    const { notCreated } = await hanako.call('Email/import', { emails })
    assert.equal(notCreated ?? null, null)
  }
  const allIds = async (): Promise<string[]> => {
    const ids: string[] = []
    for (;;) {
      const answer = await hanako.call('Email/query', {
        filter: { inMailbox: inbox },
        sort: [{ property: 'receivedAt', isAscending: false }],
        position: ids.length,
        limit: 5_000,
      })
      if (answer.ids.length === 0) return ids
      ids.push(...answer.ids)
    }
  }
  /** The rows that can be seen, when each of them is there: position and email. */
  const seen = async (): Promise<readonly { at: number; id: string }[]> => {
    let rows: readonly (readonly [number, string])[] | undefined
    await until('each row that stands still shows its mail', async () => {
      rows = (await page.evaluate<typeof rows | null>(ROWS_SEEN)) ?? undefined
      return rows !== undefined
    })
    return rows!.map(([at, id]) => ({ at, id }))
  }
  /** What stands still is what stood there when the list was shown, whatever has come since. */
  const standsAt = async (): Promise<number> => {
    const rows = await seen()
    assert.ok(rows.length >= 5)
    for (const { at, id } of rows) assert.equal(id, expected[at], `row ${at}`)
    assert.ok((await page.locator('.row').count()) < ROWS_ON_PAGE_MAX)
    return rows.at(-1)!.at
  }
  const heapBytes = async (): Promise<number> => {
    await devtools.send('HeapProfiler.collectGarbage')
    const { metrics } = await devtools.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'JSHeapUsedSize')!.value
  }
  let arrived = 0
  const arrive = (): Promise<void> => fill(MAILS + arrived++, 1)

  it('shows the first of them', async () => {
    const visitor = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    ;({ page } = visitor)
    devtools = await visitor.context.newCDPSession(page)
    await devtools.send('Performance.enable')
    page.on('request', (request) => {
      if (!request.url().endsWith('/jmap/api')) return
      const body = request.postData() ?? ''
      wire.unanswered++
      if (body.includes('"page"')) wire.pages++
      wire.asked = Math.max(wire.asked, body.length)
    })
    page.on('requestfinished', (request) => {
      if (!request.url().endsWith('/jmap/api')) return
      void request.sizes().then(({ responseBodySize }) => {
        wire.unanswered--
        wire.answer = Math.max(wire.answer, responseBodySize)
      })
    })
    await visitor.open('/')
    await page.locator('input[autocomplete=username]').fill('hanako')
    await page.locator('input[autocomplete=current-password]').fill(watari.password('hanako'))
    await page.keyboard.press('Enter')
    await page.locator('.row').first().waitFor()
    assert.ok((await standsAt()) < 20)
  })

  it('scrolls from top to bottom by the wheel, while mail arrives, and moves nothing', async (t) => {
    const before = await heapBytes()
    const asked = wire.pages
    await page.locator('.scroller').hover()
    // A hundred turns, however many there are.
    const turn = Math.max(2_000, Math.ceil((MAILS * ROW_PX) / 100))
    let stops = 0
    for (let at = 0; at < MAILS * ROW_PX; at += turn) {
      await page.mouse.wheel(0, turn)
      if (stops % 10 === 0) await arrive()
      if (stops++ % 3 === 0) await standsAt()
    }
    assert.equal(await standsAt(), MAILS - 1)
    await page.locator('.new-mail', { hasText: `${arrived}` }).waitFor()
    const grown = (await heapBytes()) - before
    t.diagnostic(
      `${wire.pages - asked} pages asked in ${stops} turns, heap grew by ${grown} octets`,
    )
    assert.ok(wire.pages - asked <= stops * 4)
    assert.ok(grown < HEAP_GROWTH_BYTES_MAX, `${grown}`)
  })

  it('goes to both ends and on by keys', async () => {
    await page.keyboard.press('Home')
    assert.ok((await standsAt()) < 20)
    await page.keyboard.press('End')
    assert.equal(await standsAt(), MAILS - 1)
    await page.locator(`.row-current a[href*="m=${expected[MAILS - 1]}"]`).waitFor()
    for (const key of ['PageUp', 'k', 'ArrowUp', 'k']) await page.keyboard.press(key)
    const last = await standsAt()
    assert.ok(last < MAILS - 1 && last > MAILS - 40)
    await page.keyboard.press('Home')
    assert.ok((await standsAt()) < 20)
  })

  it('asks nothing for what a dragged bar passes by', async (t) => {
    await page.reload()
    await page.locator('.row').first().waitFor()
    expected = await allIds()
    const all = expected.length
    const box = (await page.locator('.scroller').boundingBox())!
    const asked = wire.pages
    const x = box.x + box.width - 5
    // Below the bar's own arrow.
    const top = box.y + 20
    await page.mouse.move(x, top)
    await page.mouse.down()
    for (let step = 1; step <= 200; step++) {
      await page.mouse.move(x, top + ((box.height + 40) * step) / 200)
      if (step % 50 === 0) await arrive()
    }
    assert.equal(await standsAt(), all - 1)
    await page.mouse.up()
    t.diagnostic(`${wire.pages - asked} pages asked in 200 moves`)
    // Where it rests for a moment, as on a slow machine, it asks; each pass would be a hundred.
    assert.ok(wire.pages > asked && wire.pages - asked < 50)
  })

  it('leaves no request unanswered, and none is large', async (t) => {
    await page.keyboard.press('Home')
    await standsAt()
    await page.locator('.new-mail').click()
    expected = await allIds()
    await page.locator(`.row a[href*="m=${expected[0]}"]`).waitFor()
    await standsAt()
    await page.waitForFunction('!document.querySelector(".new-mail")')
    for (let n = 0; n < 100 && wire.unanswered > 0; n++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    t.diagnostic(`largest request ${wire.asked} octets, largest answer ${wire.answer}`)
    assert.equal(wire.unanswered, 0)
    assert.ok(wire.asked < ASKED_BYTES_MAX)
    assert.ok(wire.answer < ANSWER_BYTES_MAX)
  })
})

/**
 * In the page: the rows that can be seen, position and email, once the list stands still and each
 * place that can be seen has its row.
 */
const ROWS_SEEN = `(async () => {
  const box = document.querySelector('.scroller')
  const top = box.scrollTop
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  const { top: from, bottom: to } = box.getBoundingClientRect()
  const seen = [...box.querySelectorAll('.at-row')].filter((row) => {
    const rect = row.getBoundingClientRect()
    return rect.bottom > from && rect.top < to
  })
  const isFull = seen.length >= Math.floor((to - from) / ${ROW_PX})
  const isThere = seen.every((row) => row.querySelector('a') !== null)
  if (top !== box.scrollTop || !isFull || !isThere) return null
  return seen
    .map((row) => [
      Number(row.getAttribute('aria-posinset')) - 1,
      new URL(row.querySelector('a').href).searchParams.get('m'),
    ])
    .toSorted(([a], [b]) => a - b)
})()`
