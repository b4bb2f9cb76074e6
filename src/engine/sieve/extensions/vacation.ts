import { DAY_MS, SECOND_MS } from '#base/time.ts'
import { checkAddress, checkedText } from '#engine/sieve/arguments.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { endRun, fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule, SieveExtension } from '#engine/sieve/language.ts'

import { takeFcc } from './fcc.ts'

const DAY_SECONDS = DAY_MS / SECOND_MS
const DAYS_DEFAULT = 7
/** RFC 5230 §4.1: at least one day, and more than 7 is to be possible. */
const DAYS_MAX = 365
/** Octets of what is answered: it is sent to strangers. Text and HTML in base64 have room. */
const REASON_BYTES_MAX = 96 * 1024
const ADDRESSES_MAX = 100

const rule: SieveCommandRule = {
  compile(args) {
    // RFC 6131 §2: the extension holds what it extends.
    if (!args.has('vacation-seconds')) args.needs('vacation')
    const seconds = takeSeconds(args)
    const subject = args.tagText('subject')
    const from = args.tagText('from')
    checkAddress(from)
    const addresses = args.tagTexts('addresses')
    if ((addresses?.constant?.length ?? 0) > ADDRESSES_MAX)
      fail(`:addresses has more than ${ADDRESSES_MAX} addresses`)
    const isMime = args.flag('mime')
    const handle = args.tagText('handle')
    const fcc = takeFcc(args)
    const reason = checkedText(args.text('a reason'), (text) =>
      Buffer.byteLength(text) > REASON_BYTES_MAX
        ? fail(`the reason has more than ${REASON_BYTES_MAX} octets`)
        : text,
    )
    return (run) => {
      // RFC 5230 §4.7: not twice in one script.
      if (run.hasActed('vacation')) endRun('vacation can stand for one answer only')
      run.act({
        kind: 'vacation',
        reason: reason.of(run),
        isMime,
        seconds,
        ...run.changedHeader(),
        addresses: addresses?.of(run).slice(0, ADDRESSES_MAX) ?? [],
        ...(subject !== undefined && { subject: subject.of(run) }),
        ...(from !== undefined && { from: from.of(run) }),
        ...(handle !== undefined && { handle: handle.of(run) }),
        ...(fcc !== undefined && { fcc: fcc(run) }),
      })
    }
  },
}

/** How long the same sender is not answered again; what is outside our bounds counts as the nearest one (RFC 5230 §4.1, RFC 6131 §2). */
function takeSeconds(args: Arguments): number {
  if (args.stands('seconds') && args.stands('days')) fail(':days and :seconds exclude one another')
  const days = args.tagNumber('days')
  const seconds = args.tagNumber('seconds', 'vacation-seconds')
  if (seconds !== undefined) return Math.min(seconds, DAYS_MAX * DAY_SECONDS)
  return Math.min(Math.max(days ?? DAYS_DEFAULT, 1), DAYS_MAX) * DAY_SECONDS
}

/** Answers in its owner's absence; to whom is decided with the delivery. */
export const vacation: SieveExtension = {
  names: { vacation: 'RFC 5230', 'vacation-seconds': 'RFC 6131' },
  commands: { vacation: rule },
}
