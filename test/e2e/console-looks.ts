import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Page } from 'playwright-core'

import { accessFaults, cutTexts } from './browser.ts'

const SIZES = [
  [390, 844],
  [1280, 800],
  [1680, 1050],
] as const
const SCHEMES = ['light', 'dark'] as const
/** Rows are alike: axe looks at the first ones. */
const REPEATED = ['.table-body .table-row:nth-child(n + 11)']

/** Where pictures of each page stay, for people to look at. */
const KEPT = process.env['WATARI_PICTURES']

/** What is wrong with a page of the console as it stands, in each size and light; it is as it was afterwards. */
export async function consoleFaults(page: Page, name: string): Promise<readonly string[]> {
  const found: string[] = []
  const before = page.viewportSize()
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme })
      const here = `${name} ${width} ${colorScheme}`
      const faults =
        colorScheme === 'light'
          ? [
              ...(await cutTexts(page)),
              ...(width === 390 ? await accessFaults(page, REPEATED) : []),
            ]
          : width === 1280
            ? await accessFaults(page, REPEATED)
            : []
      found.push(...faults.map((each) => `${here}: ${each}`))
      if (KEPT === undefined) continue
      mkdirSync(KEPT, { recursive: true })
      await page.screenshot({ path: join(KEPT, `${here.replaceAll(' ', '-')}.png`) })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  if (before !== null) await page.setViewportSize(before)
  return found
}
