import { asciiLower } from '#base/text.ts'
import { checkedTexts } from '#engine/sieve/arguments.ts'
import { endRun, fail } from '#engine/sieve/language.ts'
import type { SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { compared, takeKeys, takeMatch } from '#engine/sieve/match.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'

import { partsOf, takeAddressPart, writtenAddress } from './addresses.ts'
import type { SieveAddressPart } from './addresses.ts'

const rule: SieveTestRule = {
  needs: 'envelope',
  compile(args) {
    const match = takeMatch(args)
    const part = takeAddressPart(args)
    const names = checkedTexts(args.texts('parts of the envelope'), (texts) => texts.map(partName))
    return compared(match, takeKeys(args, match), (run) => {
      if (run.message.flags !== undefined) endRun('no mail is delivered, and there is no envelope') // RFC 6785 §4.6
      return names.of(run).flatMap((name) => envelopeValues(run.message, name, part))
    })
  },
}

/** `auth` is who authenticated, as other systems know it too. */
const PARTS: ReadonlySet<string> = new Set(['from', 'to', 'auth'])

function partName(text: string): string {
  const name = asciiLower(text)
  return PARTS.has(name) ? name : fail(`the envelope has no part "${text}"`)
}

function envelopeValues(
  message: SieveMessage,
  name: string,
  part: SieveAddressPart,
): readonly string[] {
  if (name === 'auth') return message.envelopeAuth === undefined ? [] : [message.envelopeAuth]
  const written = message.envelopeTexts?.[name === 'from' ? 'from' : 'to']
  if (written !== undefined) return partsOf(written, part)
  const address = name === 'from' ? message.envelopeFrom : message.envelopeTo
  // RFC 5228 §5.4: the null reverse-path is the empty string, whatever the part.
  return address === null ? [''] : partsOf([writtenAddress(address)], part)
}

export const envelope: SieveExtension = {
  names: { envelope: 'RFC 5228 §5.4' },
  tests: { envelope: rule },
}
