import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Page } from 'playwright-core'

import { accessFaults } from './browser.ts'

const SIZES = [
  { name: 'phone', width: 390, height: 844 },
  { name: 'laptop', width: 1280, height: 800 },
  { name: 'desktop', width: 1680, height: 1050 },
] as const
const SCHEMES = ['light', 'dark'] as const
/** Rows are alike: axe looks at the first ones. */
const REPEATED = ['.at-row:nth-child(n + 6)', '.choices li:nth-child(n + 4)']
const CUT_TEXT = readFileSync(join(import.meta.dirname, 'cut-text.js'), 'utf8')

/** Where pictures of each page go, for people to look at; absent: none are taken. */
const PICTURES = process.env['WATARI_PICTURES']

/**
 * What is wrong with a page in each size and scheme: axe's word, what is cut, what runs out of it.
 * A page that is looked at in both languages is asked of axe once for each size and scheme, and once
 * for each size and language: colours know no language, and names no scheme.
 */
export async function lookFaults(
  page: Page,
  name: string,
  of: 'one language' | 'ja' | 'en' = 'one language',
): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name: size, width, height } of SIZES) {
    await page.setViewportSize({ width, height })
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme })
      await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor()
      const cut = await page.evaluate<string[]>(CUT_TEXT)
      const isAxesTurn =
        of === 'one language' ||
        (of === 'ja') === ((size === 'laptop') === (colorScheme === 'dark'))
      const wrong = isAxesTurn ? await accessFaults(page, REPEATED) : []
      for (const each of [...wrong, ...cut]) found.push(`${name} ${size} ${colorScheme}: ${each}`)
      if (PICTURES === undefined) continue
      mkdirSync(PICTURES, { recursive: true })
      await page.screenshot({ path: join(PICTURES, `${name}-${size}-${colorScheme}.png`) })
    }
  }
  return found
}
