import { existsSync } from 'node:fs'

import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'

import type { Installation } from './installation.ts'

const CHROMIUM = '/usr/bin/chromium'
/** A busy machine is not a broken page. */
const WAIT_MS = 60_000
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** All that light or dark makes a difference to. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** Why tests in a browser cannot run here; undefined: they can. */
export const noBrowser = existsSync(CHROMIUM)
  ? undefined
  : `there is no ${CHROMIUM}: apt-get install chromium`

/** Debian's Chromium, without a window. */
export const openBrowser = (look: { readonly hasScrollBars?: boolean } = {}): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    chromiumSandbox: false,
    ...(look.hasScrollBars === true && { ignoreDefaultArgs: ['--hide-scrollbars'] }),
  })

export interface Look {
  readonly language: 'ja' | 'en'
  readonly scheme: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

/** A person at a browser of their own. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors of scripts, and what the page's policy has refused. */
  readonly faults: readonly string[]
  readonly open: (path: string) => Promise<void>
}

/** A fresh browser profile with this look. */
export async function visit(
  browser: Browser,
  installation: Installation,
  look: Look,
): Promise<Visitor> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: look.language === 'ja' ? 'ja-JP' : 'en-GB',
    colorScheme: look.scheme,
    reducedMotion: 'reduce',
    viewport: { width: look.width ?? 1280, height: look.height ?? 800 },
  })
  context.setDefaultTimeout(WAIT_MS)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) faults.push(message.text())
  })
  page.on('dialog', (dialog) => {
    faults.push(`a dialog of a foreign script: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const open = async (path: string): Promise<void> => {
    await page.goto(`https://localhost:${installation.port(443)}${path}`)
    await page.locator('h1').waitFor()
  }
  return { context, page, faults, open }
}

/** What axe has to say of the page as it is, or of its colours alone: one line each, none where all is well. */
export async function accessFaults(
  page: Page,
  exclude: readonly string[] = [],
  what: 'all' | 'colours' = 'all',
): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source)
  const runOnly: axe.RunOnly =
    what === 'all' ? { type: 'tag', values: RULES } : { type: 'rule', values: COLOUR_RULES }
  const { violations } = await page.evaluate<
    axe.AxeResults,
    { readonly runOnly: axe.RunOnly; readonly exclude: readonly string[] }
  >(
    (asked) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(
        { exclude: asked.exclude.map((selector) => [selector]) },
        { runOnly: asked.runOnly, resultTypes: ['violations'] },
      ),
    { runOnly, exclude },
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

/** Texts of which a part cannot be seen, and what is wider than the page: one line each. */
export const cutTexts = (page: Page): Promise<readonly string[]> => page.evaluate(CUT_TEXTS)

// Runs in the page. A cell of a table may end in an ellipsis: its row opens; a list of tabs may be scrolled.
const CUT_TEXTS = `(() => {
  const found = []
  const wide = document.documentElement.scrollWidth
  if (wide > innerWidth) found.push('the page is ' + wide + ' wide')
  const pen = document.createElement('canvas').getContext('2d')
  const widthOf = (element, text) => {
    const style = getComputedStyle(element)
    pen.font = [style.fontStyle, style.fontWeight, style.fontSize, style.fontFamily].join(' ')
    return pen.measureText(text).width
  }
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue
    if (element.closest('.only-read, .skip, [aria-hidden=true]')) continue
    // A dialog may stand in a row.
    if (element.closest('.table-row, dialog')?.matches('.table-row')) continue
    const style = getComputedStyle(element)
    const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
    if (element.matches('dialog') && element.scrollWidth > element.clientWidth + 1)
      found.push('wider than its dialog: ' + element.textContent)
    if (element.matches('select')) {
      const text = element.selectedOptions[0]?.text ?? ''
      if (widthOf(element, text) > room - 12) found.push('select: ' + text)
    } else if (element.matches('input:not([type=checkbox], [type=file]), textarea')) {
      const text = element.placeholder
      if (element.matches('input') && widthOf(element, text) > room) found.push('input: ' + text)
    } else {
      const own = [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== '')
      if (!own) continue
      if (style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1)
        found.push(element.tagName + ' cut: ' + element.textContent)
      const { right, left } = element.getBoundingClientRect()
      const isScrolled = element.closest('.rooms, .tabs') !== null
      if (!isScrolled && (right > innerWidth + 1 || left < -1))
        found.push(element.tagName + ' out of sight: ' + element.textContent)
    }
  }
  return [...new Set(found)]
})()`

/** Why the room of Japanese texts cannot be measured here; undefined: it can. */
export const noJapaneseFont = async (page: Page): Promise<string | undefined> =>
  (await page.evaluate<boolean>(DRAWS_JAPANESE))
    ? undefined
    : 'no font here has Japanese letters: apt-get install fonts-ipafont-gothic'

// Letters that no font has all look alike: a box.
const DRAWS_JAPANESE = `(() => {
  const drawn = (letter) => {
    const canvas = document.createElement('canvas')
    const pen = canvas.getContext('2d')
    pen.font = '40px sans-serif'
    pen.fillText(letter, 10, 60)
    return canvas.toDataURL()
  }
  return new Set(['渡', '鳥', 'か', 'シ'].map(drawn)).size === 4
})()`
