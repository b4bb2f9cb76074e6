// node tools/pictures.ts: takes the pictures of README.md anew, in Debian's Chromium.
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { noBrowser, noJapaneseFont, openBrowser, visit } from '#test/e2e/browser.ts'
import { enterConsole } from '#test/e2e/console-login.ts'
import { install, until } from '#test/e2e/installation.ts'
import type { Installation } from '#test/e2e/installation.ts'
import { smtpSend } from '#test/e2e/mail.ts'

const PICTURES = join(import.meta.dirname, '../docs/pictures')
const SIZE = { width: 1180, height: 700 }
const TO = 'hanako@campus.example'

interface Letter {
  readonly name: string
  readonly from: string
  readonly subject: string
  readonly text: string
}

/** The latest, which is opened, stands last. */
const LETTERS: readonly Letter[] = [
  {
    name: 'Martin Ek',
    from: 'martin@ringing.example',
    subject: 'Ringing data of this autumn',
    text: 'Dear Hanako,\n\nour counts of the last six weeks are ready. 4,312 birds, 61 species.\n',
  },
  {
    name: '図書館',
    from: 'library@toshokan.example',
    subject: '貸出期限のお知らせ',
    text: '12月4日が返却の期限です。\n\n「渡り鳥の地図」\n',
  },
  {
    name: '鈴木 一郎',
    from: 'suzuki@kenkyu.example',
    subject: 'Re: 観察会の集合場所',
    text: '花子さん\n\n駅の北口に8時でお願いします。双眼鏡は三台あります。\n',
  },
  {
    name: '事務局',
    from: 'jimu@gakkai.example',
    subject: '年会の発表申し込みについて',
    text: '申し込みを受け付けました。\n',
  },
  {
    name: '佐藤 健',
    from: 'sato@kenkyu.example',
    subject: '明日の会議の資料をお送りします',
    text: '山田様\n\nいつもお世話になっております。佐藤です。\n明日の会議は10時から、第二会議室です。\n渡り鳥の飛来数は昨年より12%増えました。\n\nよろしくお願いいたします。\n',
  },
]

async function main(): Promise<void> {
  if (noBrowser !== undefined) throw new Error(noBrowser)
  const [watari, browser] = await Promise.all([install(), openBrowser()])
  try {
    for (const letter of LETTERS) await receive(watari, letter)
    for (const language of ['ja', 'en'] as const) {
      await ofWebmail(watari, browser, language)
      await ofConsole(watari, browser, language)
    }
  } finally {
    await browser.close()
    await watari.remove()
  }
}

async function receive(watari: Installation, { name, from, subject, text }: Letter): Promise<void> {
  const word = (it: string): string => `=?utf-8?B?${Buffer.from(it).toString('base64')}?=`
  const content = [
    `From: ${word(name)} <${from}>`,
    `To: ${TO}`,
    `Subject: ${word(subject)}`,
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: <${Date.now()}@${from.split('@')[1]}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    text.replaceAll('\n', '\r\n'),
  ].join('\r\n')
  const reply = await smtpSend(watari.port(25), { from, to: [TO], content })
  if (!reply.startsWith('250')) throw new Error(reply)
  await until(`${subject} is in the mailbox`, async () =>
    (await watari.watari(['trace', from])).stdout.includes('queue.delivered'),
  )
}

async function ofWebmail(
  watari: Installation,
  browser: Browser,
  language: 'ja' | 'en',
): Promise<void> {
  const { page, context } = await visit(browser, watari, { language, scheme: 'light', ...SIZE })
  const missing = await noJapaneseFont(page)
  if (missing !== undefined) throw new Error(missing)
  const origin = `https://localhost:${watari.port(443)}`
  const data = { username: 'hanako', password: watari.password('hanako') }
  await context.request.post(`${origin}/auth/login`, { data })
  await page.goto(`${origin}/mail/inbox`)
  await page.getByText(LETTERS.at(-1)!.subject).first().click()
  await page.getByRole('button', { name: language === 'ja' ? '理由' : 'Why?' }).click()
  await take(page, `webmail-${language}`)
  await context.close()
}

async function ofConsole(
  watari: Installation,
  browser: Browser,
  language: 'ja' | 'en',
): Promise<void> {
  const visitor = await visit(browser, watari, { language, scheme: 'light', ...SIZE })
  await enterConsole(visitor, watari.password('admin'))
  await visitor.open(`/console/trace?q=${LETTERS.at(-1)!.from}`)
  await visitor.page.locator('.told .answer').waitFor()
  await take(visitor.page, `console-trace-${language}`)
  await visitor.context.close()
}

const take = (page: Page, name: string): Promise<unknown> =>
  page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' })

await main()
