import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'

import type { Browser } from 'playwright-core'

import { noBrowser, openBrowser, visit } from './browser.ts'
import type { Visitor } from './browser.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { smtpSend } from './mail.ts'

const EVIL = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
/** `/` parts names. */
const EVIL_BOX = '"><img src=x onerror="window.pwned=1">'
const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
/** In every field that somebody outside can fill. */
const EVIL_MAIL = [
  `From: ${word(EVIL)} <suzuki@kenkyu.example>`,
  `Reply-To: ${word(EVIL)} <reply@kenkyu.example>`,
  `To: ${word(EVIL)} <hanako@campus.example>`,
  `Cc: ${word(EVIL)} <cc@kenkyu.example>`,
  `Subject: ${word(`会議 ${EVIL}`)}`,
  `X-Evil: ${EVIL}`,
  'Message-ID: <"><script>window.pwned=1</script>@kenkyu.example>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  '',
  `読める本文 ${EVIL}`,
  'javascript:window.pwned=1 https://kenkyu.example/"onmouseover="window.pwned=1',
  '--b',
  `Content-Type: image/svg+xml; name="${EVIL.replaceAll('"', '\\"')}.svg"`,
  'Content-Disposition: attachment',
  '',
  '<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"/>',
  '--b--',
  '',
].join('\r\n')
const OUTSIDE = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

/** What may stand in our pages only if somebody else's text has become a part of them. */
const STRANGE =
  '#root img, #root script, #root iframe, #root svg[onload], [onerror], [onload], [onmouseover], a[href^="java"]'

describe('who means ill by the webmail', { skip: noBrowser ?? false }, () => {
  let watari: Installation
  let browser: Browser
  let hanako: JmapClient
  let user: Visitor
  let foreign: Server
  before(async () => {
    const bind = ['127.0.0.1', '::1', ...(OUTSIDE === undefined ? [] : [OUTSIDE])]
    ;[watari, browser] = await Promise.all([install({ bind }), openBrowser()])
    foreign = createServer((_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>another site</title>')
    })
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
    const content = EVIL_MAIL
    const sent = { from: 'suzuki@kenkyu.example', to: ['hanako@campus.example'], content }
    assert.match(await smtpSend(watari.port(25), sent), /^250/)
    hanako = await jmap(watari, 'hanako')
    await until('it is there', async () => (await subjects()).length === 1)
    user = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    await user.open('/')
    await enter(user)
    await user.page.locator('.row').waitFor()
  })
  after(async () => {
    foreign?.close()
    await browser?.close()
    await watari?.remove()
  })

  const subjects = async (): Promise<string[]> =>
    (await hanako.call('Email/query', { filter: { subject: '会議' } })).ids
  const enter = async ({ page }: Visitor, password = watari.password('hanako')): Promise<void> => {
    await page.locator('input[autocomplete=username]').fill('hanako')
    await page.locator('input[autocomplete=current-password]').fill(password)
    await page.keyboard.press('Enter')
  }
  const nothingRan = async (where: string): Promise<void> => {
    assert.equal(await user.page.evaluate(() => 'pwned' in globalThis), false, where)
    assert.equal(await user.page.locator(STRANGE).count(), 0, where)
  }

  it('writes nothing into the pages but text: names, subjects, texts, files, mailboxes, searches', async () => {
    const { page } = user
    const { created } = await hanako.call('Mailbox/set', { create: { evil: { name: EVIL_BOX } } })
    await page.locator('.box', { hasText: 'onerror' }).waitFor()
    await nothingRan('list and tree')
    await page.locator('.row a').click()
    await page.locator('.body', { hasText: '読める本文' }).waitFor()
    await page.locator('.all-headers summary').click()
    await page.locator('.headers', { hasText: 'X-Evil' }).waitFor()
    await nothingRan('reader and headers')
    assert.equal(await page.locator('.body a').getAttribute('href'), 'https://kenkyu.example/')
    await page.keyboard.press('v')
    await page.locator('.choices', { hasText: 'onerror' }).waitFor()
    await nothingRan('mailboxes to move to')
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('a')
    await page.locator('.letter-window').waitFor()
    await nothingRan('an answer')
    await page.keyboard.press('Escape')
    await page.locator('.letter-window').waitFor({ state: 'detached' })
    for (const path of [
      `/mail/${created.evil.id}`,
      `/mail/inbox?q=${encodeURIComponent(EVIL)}`,
      `/mail/${encodeURIComponent(EVIL)}?m=${encodeURIComponent(EVIL)}`,
      `/mail/inbox?m=javascript:window.pwned=1`,
    ]) {
      await user.open(path)
      await page.locator('.list-name').waitFor()
      await nothingRan(path)
    }
    assert.deepEqual(user.faults, [], 'and the policy of the page had nothing to hold back')
  })

  it('takes nothing from the pages of another site, whoever is logged in', async () => {
    const page = await user.context.newPage()
    const { port } = foreign.address() as AddressInfo
    const { ids } = await hanako.call('Email/query', {})
    const destroy = JSON.stringify({
      using: ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'],
      methodCalls: [['Email/set', { accountId: hanako.accountId, destroy: ids }, '0']],
    })
    const origin = `https://localhost:${watari.port(443)}`
    await page.goto(`http://127.0.0.1:${port}/`)
    const outcomes = await page.evaluate(
      async ([url, body]) => {
        const tried = []
        for (const [path, init] of [
          ['/jmap/api', { method: 'POST', body, mode: 'no-cors' }],
          ['/jmap/api', { method: 'POST', body, headers: { 'content-type': 'application/json' } }],
          ['/auth/logout', { method: 'POST', mode: 'no-cors' }],
          ['/auth/session', {}],
        ] as const)
          tried.push(
            await fetch(`${url}${path}`, { ...init, credentials: 'include' }).then(
              (response) => response.type,
              () => 'refused',
            ),
          )
        return tried
      },
      [origin, destroy] as const,
    )
    assert.deepEqual(outcomes, ['opaque', 'refused', 'opaque', 'refused'], 'none can be read')
    await page.setContent(
      `<form method="post" enctype="text/plain" action="${origin}/jmap/api"><input name='${destroy}' value=""></form>`,
    )
    // What comes without the cookie is asked who it is: nothing else happens.
    const asked = page.waitForResponse(`${origin}/jmap/api`)
    await page.evaluate("document.querySelector('form').submit()")
    assert.equal((await asked).status(), 401)
    await page.close()
    const framing = await user.context.newPage()
    await framing.goto(`http://127.0.0.1:${port}/`)
    await framing.setContent(`<iframe src="${origin}/mail/inbox"></iframe>`)
    await framing.waitForFunction('frames.length === 1')
    assert.equal(await framing.frameLocator('iframe').locator('.row, .login').count(), 0)
    await framing.close()
    assert.equal((await subjects()).length, 1)
    await user.open('/mail/inbox')
    await user.page.locator('.row').waitFor()
  })

  it('keeps the session from scripts, and a stolen cookie ends with the login', async () => {
    const { page, context } = user
    assert.equal(await page.evaluate('document.cookie'), '')
    const stolen = await context.cookies()
    assert.ok(
      stolen.every(({ httpOnly, secure, sameSite }) => httpOnly && secure && sameSite === 'Strict'),
    )
    await page.locator('.account summary').click()
    await page.getByRole('button', { name: 'ログアウト' }).click()
    await page.locator('.login').waitFor()
    const thief = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    await thief.context.addCookies(stolen)
    await thief.open('/mail/inbox')
    await thief.page.locator('.login').waitFor()
    assert.equal(await thief.page.locator('.row').count(), 0)
    await thief.context.close()
  })

  it('ends each session with a new password', async () => {
    const { page } = user
    await enter(user)
    await page.locator('.row').waitFor()
    const changed = await watari.watari(
      ['user', 'passwd', 'hanako@campus.example', '--password-stdin'],
      'あたらしい & "合言葉"',
    )
    assert.equal(changed.status, 0, changed.stderr)
    await page.locator('.row-star').click()
    await page.getByText('ログインの有効期限が切れました。').waitFor()
    await enter(user, 'あたらしい & "合言葉"')
    await page.locator('.row').waitFor()
  })

  // From this machine's own addresses guesses are slowed, and never refused.
  const skip = OUTSIDE === undefined && 'the machine has no address but loopback'
  it('slows who guesses a password, and says so', { skip }, async () => {
    const guesser = await visit(browser, watari, { language: 'ja', scheme: 'light' })
    const { page } = guesser
    await page.goto(`https://${OUTSIDE}:${watari.port(443)}/`)
    const slowed = page.getByText('パスワードの間違いが続きました。')
    for (let guess = 0; guess < 20 && (await slowed.count()) === 0; guess++) {
      const answered = page.waitForResponse((response) => response.url().endsWith('/auth/login'))
      await enter(guesser, `password${guess}`)
      await answered
      await page.locator('.said-no').waitFor()
    }
    await slowed.waitFor()
    await guesser.context.close()
  })
})
