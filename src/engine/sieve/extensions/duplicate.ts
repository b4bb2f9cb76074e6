import { createHash } from 'node:crypto'
import { DAY_MS, SECOND_MS } from '#base/time.ts'
import { endRun, fail } from '#engine/sieve/language.ts'
import type { SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import type { SieveRun } from '#engine/sieve/run.ts'

const SECONDS_DEFAULT = (7 * DAY_MS) / SECOND_MS
/** RFC 7352 §3.3: longer than that nothing is remembered. */
const SECONDS_MAX = (90 * DAY_MS) / SECOND_MS
/** Things that one run may have remembered. */
const TRACKED_MAX = 20
/** Characters of a value that mails are told by: more is too much to be an identifier. */
const VALUE_LENGTH_MAX = 10_000

const rule: SieveTestRule = {
  needs: 'duplicate',
  compile(args) {
    if (args.stands('header') && args.stands('uniqueid'))
      fail(':header and :uniqueid exclude one another')
    const header = args.tagText('header')
    const uniqueId = args.tagText('uniqueid')
    const handle = args.tagText('handle')
    const seconds = Math.min(args.tagNumber('seconds') ?? SECONDS_DEFAULT, SECONDS_MAX)
    const isProlonged = args.flag('last')
    return (run) => {
      const id = uniqueId?.of(run) ?? headerOf(run, header?.of(run) ?? 'message-id')
      // RFC 7352 §3.1: what has no identifier is no duplicate, and is not remembered.
      if (id === undefined || id === '') return false
      // One of either kind is none of the other (RFC 7352 §3.1).
      const kind = uniqueId === undefined ? 'header' : 'uniqueid'
      const key = keyOf([handle?.of(run) ?? '', kind, id])
      if (run.memories.length >= TRACKED_MAX) endRun('the script remembers too much')
      const isKnown = run.message.remembered?.([key]).includes(key) === true
      run.memories.push({ key, seconds, isProlonged, isFirst: !isKnown })
      return isKnown
    }
  },
}

const headerOf = (run: SieveRun, name: string): string | undefined =>
  run.header.header(name.toLowerCase())[0]?.trim().slice(0, VALUE_LENGTH_MAX)

const keyOf = (parts: readonly string[]): string =>
  `duplicate:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`

/** Tells mails that came before. */
export const duplicate: SieveExtension = {
  names: { duplicate: 'RFC 7352' },
  tests: { duplicate: rule },
}
