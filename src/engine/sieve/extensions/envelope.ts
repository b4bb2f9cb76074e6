import { asciiLower } from '#base/text.ts'
import { checkedTexts } from '#engine/sieve/arguments.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { endRun, fail, failMissing } from '#engine/sieve/language.ts'
import type { SieveExtension, SieveTestRule, SieveTexts } from '#engine/sieve/language.ts'
import { compared, takeKeys, takeMatch } from '#engine/sieve/match.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { SieveRun } from '#engine/sieve/run.ts'

import { partsOf, standsAddressPart, takeAddressPart, writtenAddress } from './addresses.ts'
import type { SieveAddressPart } from './addresses.ts'
import { takeZone, zoned } from './date.ts'
import type { Zoned } from './date.ts'

const rule: SieveTestRule = {
  needs: 'envelope',
  compile(args) {
    const zone = args.has('envelope-deliverby') ? takeZone(args, false) : undefined
    const match = takeMatch(args)
    const isOfPart = standsAddressPart(args)
    const part = takeAddressPart(args)
    const names = takeParts(args, isOfPart)
    return compared(match, takeKeys(args, match), (run) => {
      if (run.message.flags !== undefined) endRun('no mail is delivered, and there is no envelope') // RFC 6785 §4.6
      return names
        .of(run)
        .flatMap((name) => envelopeValues(run, name, { part, ...(zone && { zone }) }))
    })
  },
}

/** What scripts may ask for, and what must be required for it; `auth` is who authenticated, as other systems know it too. */
const PARTS: Readonly<Record<string, string | undefined>> = {
  from: undefined,
  to: undefined,
  auth: undefined,
  // RFC 6009 §4, §5: none of these is an address.
  notify: 'envelope-dsn',
  orcpt: 'envelope-dsn',
  ret: 'envelope-dsn',
  envid: 'envelope-dsn',
  bytimeabsolute: 'envelope-deliverby',
  bytimerelative: 'envelope-deliverby',
  bymode: 'envelope-deliverby',
  bytrace: 'envelope-deliverby',
}

const takeParts = (args: Arguments, isOfPart: boolean): SieveTexts =>
  checkedTexts(args.texts('parts of the envelope'), (texts) =>
    texts.map((text) => {
      const name = asciiLower(text)
      if (!Object.hasOwn(PARTS, name)) fail(`the envelope has no part "${text}"`)
      const needed = PARTS[name]
      if (needed === undefined) return name
      if (!args.has(needed)) failMissing(`"${name}" of the envelope needs: require "${needed}"`)
      return isOfPart ? fail(`"${name}" of the envelope is no address`) : name
    }),
  )

interface Asked {
  readonly part: SieveAddressPart
  readonly zone?: (run: SieveRun, time: Zoned) => Zoned
}

function envelopeValues(run: SieveRun, name: string, { part, zone }: Asked): readonly string[] {
  const { message } = run
  const { envelopeDsn = {}, envelopeBy } = message
  switch (name) {
    case 'auth':
      return message.envelopeAuth === undefined ? [] : [message.envelopeAuth]
    case 'notify':
      return envelopeDsn.notify ?? []
    case 'orcpt':
    case 'ret':
    case 'envid':
      return envelopeDsn[name] === undefined ? [] : [envelopeDsn[name]]
    case 'from':
    case 'to':
      return addressValues(message, name, part)
    default:
      if (envelopeBy === undefined) return []
      break
  }
  const { atMs, mode, isTraced } = envelopeBy
  if (name === 'bymode') return [mode]
  if (name === 'bytrace') return [isTraced ? 'trace' : '']
  if (name === 'bytimerelative') return [String(Math.round((atMs - (message.nowMs ?? 0)) / 1_000))]
  const time = { atMs, zoneMinutes: 0 }
  return zone === undefined ? [] : zoned(zone(run, time), 'iso8601')
}

function addressValues(
  message: SieveMessage,
  name: 'from' | 'to',
  part: SieveAddressPart,
): readonly string[] {
  const written = message.envelopeTexts?.[name]
  if (written !== undefined) return partsOf(written, part)
  const address = name === 'from' ? message.envelopeFrom : message.envelopeTo
  // RFC 5228 §5.4: the null reverse-path is the empty string, whatever the part.
  return address === null ? [''] : partsOf([writtenAddress(address)], part)
}

export const envelope: SieveExtension = {
  names: {
    envelope: 'RFC 5228 §5.4',
    'envelope-dsn': 'RFC 6009 §4',
    'envelope-deliverby': 'RFC 6009 §5',
  },
  tests: { envelope: rule },
}
