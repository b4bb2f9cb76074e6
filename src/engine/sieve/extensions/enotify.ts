import { asciiLower } from '#base/text.ts'
import { checkAddress, checkedText, checkedTexts } from '#engine/sieve/arguments.ts'
import { constantText, fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule, SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { parseMailto } from '#engine/sieve/mailto.ts'
import { takeKeys, takeMatch } from '#engine/sieve/match.ts'

import { takeFcc } from './fcc.ts'

const IMPORTANCES = ['1', '2', '3'] as const
/** Characters of a message that a script sends. */
const MESSAGE_LENGTH_MAX = 2_000

const notify: SieveCommandRule = {
  needs: 'enotify',
  compile(args) {
    const from = args.tagText('from')
    checkAddress(from)
    const importance = checkedText(args.tagText('importance') ?? constantText('2'), (text) =>
      (IMPORTANCES as readonly string[]).includes(text)
        ? text
        : fail(`"${text}" is no importance: 1, 2 or 3`),
    )
    // RFC 5435 §3.5: options that a method does not know are left aside; mailto has none.
    const options = args.tagTexts('options')
    const checked = options && checkedTexts(options, (texts) => texts.map(optionOf))
    const message = args.tagText('message')
    const fcc = takeFcc(args)
    const method = checkedText(args.text('a method'), (uri) => {
      const read = parseMailto(uri)
      return read.ok ? uri : fail(`${read.error}: "${uri.slice(0, 100)}"`)
    })
    return (run) => {
      checked?.of(run)
      run.act({
        kind: 'notify',
        ...run.changedHeader(),
        method: method.of(run),
        importance: importance.of(run) as (typeof IMPORTANCES)[number],
        ...(from !== undefined && { from: from.of(run) }),
        ...(message !== undefined && { message: message.of(run).slice(0, MESSAGE_LENGTH_MAX) }),
        ...(fcc !== undefined && { fcc: fcc(run) }),
      })
    }
  },
}

/** Of mail: whether somebody reads it just now, nobody knows (RFC 5436 §2.2). */
const CAPABILITIES: Readonly<Record<string, string>> = { online: 'maybe', fcc: 'yes' }

const optionOf = (text: string): string =>
  /^[a-z\d][a-z\d._-]*=[^\0\r\n]*$/i.test(text) ? text : fail(`"${text}" is no option NAME=VALUE`)

const validNotifyMethod: SieveTestRule = {
  needs: 'enotify',
  compile(args) {
    const methods = args.texts('methods')
    return (run) => methods.of(run).every((uri) => parseMailto(uri).ok)
  },
}

const notifyMethodCapability: SieveTestRule = {
  needs: 'enotify',
  compile(args) {
    const match = takeMatch(args)
    const method = args.text('a method')
    const capability = args.text('a capability')
    const keys = takeKeys(args, match)
    // RFC 5435 §5: of what is not known nothing holds; RFC 8580 §6.1: the scheme alone will do.
    return (run) => {
      const name = asciiLower(capability.of(run))
      const value = Object.hasOwn(CAPABILITIES, name) ? CAPABILITIES[name] : undefined
      if (value === undefined || !/^mailto:/i.test(method.of(run))) return false
      return match(run, [value], keys.of(run))
    }
  },
}

/** Tells somebody of a mail, by mail. */
export const enotify: SieveExtension = {
  names: { enotify: 'RFC 5435, RFC 5436' },
  commands: { notify },
  tests: {
    valid_notify_method: validNotifyMethod,
    notify_method_capability: notifyMethodCapability,
  },
}
