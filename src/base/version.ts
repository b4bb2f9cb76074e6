import { readFileSync } from 'node:fs'

const file = new URL('../../package.json', import.meta.url)

/** What nodes tell one another, and `watari status` shows. */
export const VERSION: string = (JSON.parse(readFileSync(file, 'utf8')) as { version: string })
  .version
