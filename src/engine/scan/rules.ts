import { isIP } from 'node:net'

import { oneLine } from '#base/text.ts'
import { DAY_MS } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { AuthResult, RuleHit } from '#model/verdict.ts'
import { envelopeRecipients, shownRecipients } from './facts.ts'
import type { Facts } from './facts.ts'

interface Rule {
  readonly name: string
  readonly score: number
  /** What it saw, for people; undefined: nothing. */
  readonly test: (facts: Facts) => string | undefined
}

/** The generic test for unsolicited mail, backwards like the virus test. */
export const GTUBE_TEXT = Array.from(
  'X43.C*LIAME-TSET-EBU-ITNA-DRADNATS-EBUTG*NENDI2*3NBSN.1NDAQBDJ4C*SJX',
)
  .toReversed()
  .join('')
export const GTUBE_SCORE = 1_000

const has = (facts: Facts, key: string): boolean => facts.fields.some((field) => field.key === key)

const result = (facts: Facts, method: AuthResult['method']): AuthResult['result'] | undefined =>
  facts.auth.find((one) => one.method === method)?.result

/** Programs that a double click runs (Windows), also behind a harmless ending in front. */
const EXECUTABLE =
  /\.(?:exe|scr|pif|com|bat|cmd|js|jse|vbs|vbe|wsf|wsh|hta|lnk|jar|ps1|msi|cpl|iso|img|reg|chm)[\s."']*$/i
const LURES_JA =
  /当選|至急|緊急のお知らせ|未納|副業|必ず儲かる|アカウント.{0,10}(?:停止|制限)|無料.{0,6}プレゼント/
const LURES_EN =
  /\b(?:you(?:'ve| have) won|lottery|inheritance|million (?:us )?dollars|account (?:has been )?suspended|act now|viagra)\b/i

/** Every rule by its name. Scores are small: no single one of them makes a message spam. */
const RULES: readonly Rule[] = [
  {
    name: 'MISSING_DATE',
    score: 0.8,
    test: (facts) => (has(facts, 'date') || !isInbound(facts) ? undefined : 'no Date field'),
  },
  {
    name: 'MISSING_MESSAGE_ID',
    score: 0.5,
    test: (facts) =>
      has(facts, 'message-id') || !isInbound(facts) ? undefined : 'no Message-ID field',
  },
  {
    name: 'MISSING_FROM',
    score: 1,
    test: (facts) => (has(facts, 'from') ? undefined : 'no From field'),
  },
  {
    name: 'MANY_FROM',
    score: 2,
    test: (facts) =>
      facts.fields.filter((field) => field.key === 'from').length > 1
        ? 'more than one From field'
        : undefined,
  },
  {
    name: 'DATE_FAR',
    score: 1,
    test({ meta, nowMs }) {
      if (meta.sentAtMs === undefined || nowMs === undefined) return undefined
      const days = Math.round((meta.sentAtMs - nowMs) / DAY_MS)
      return days > 2 || days < -60 ? `Date is ${days} days off` : undefined
    },
  },
  { name: 'HELO_FORGED', score: 0.8, test: heloForged },
  {
    name: 'SPF_FAIL',
    score: 2,
    test: (facts) => (result(facts, 'spf') === 'fail' ? 'SPF forbids this address' : undefined),
  },
  {
    name: 'SPF_SOFTFAIL',
    score: 0.7,
    test: (facts) => (result(facts, 'spf') === 'softfail' ? 'SPF doubts this address' : undefined),
  },
  {
    name: 'DKIM_FAIL',
    score: 0.5,
    test: (facts) =>
      result(facts, 'dkim') === 'fail' ? 'a DKIM signature does not verify' : undefined,
  },
  {
    name: 'DMARC_FAIL',
    score: 2.5,
    test: (facts) =>
      result(facts, 'dmarc') === 'fail' ? 'the From domain disowns this message' : undefined,
  },
  { name: 'SUBJECT_CAPS', score: 0.8, test: subjectCaps },
  { name: 'FROM_NAME_ADDRESS', score: 1.5, test: fromNameAddress },
  {
    name: 'HTML_ONLY',
    score: 0.4,
    test: ({ html, hasPlain }) =>
      html !== '' && !hasPlain ? 'HTML without plain text' : undefined,
  },
  {
    name: 'URL_RAW_IP',
    score: 1.5,
    test: ({ text, html }) =>
      /https?:\/\/(?:[^\s/@]{1,100}@)?(?:\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]{8}|\d{8,10})(?=[:/?#\s"'<>]|$)/i.exec(
        html + text,
      )?.[0],
  },
  {
    name: 'EXECUTABLE_ATTACHMENT',
    score: 3,
    test: ({ fileNames }) => fileNames.find((name) => EXECUTABLE.test(name)),
  },
  { name: 'HIDDEN_RECIPIENTS', score: 0.6, test: hiddenRecipients },
  { name: 'LURE_JA', score: 0.8, test: (facts) => LURES_JA.exec(lureText(facts))?.[0] },
  { name: 'LURE_EN', score: 0.8, test: (facts) => LURES_EN.exec(lureText(facts))?.[0] },
]

/** The rules that fired, in the order of the table. */
export function hitsOf(facts: Facts): readonly RuleHit[] {
  const hits: RuleHit[] = []
  for (const { name, score, test } of RULES) {
    const detail = test(facts)
    if (detail !== undefined) hits.push({ name, score, detail: oneLine(detail, 200) })
  }
  return hits
}

/** Our own users' programs are let off: the door repairs what they leave out. */
const isInbound = (facts: Facts): boolean => facts.door === 'mx'

const lureText = (facts: Facts): string => `${facts.subject}\n${facts.text.slice(0, 20_000)}`

function heloForged(facts: Facts): string | undefined {
  const { helo, ip } = facts.peer
  if (!isInbound(facts) || helo === undefined) return undefined
  const literal = /^\[(?:IPv6:)?([0-9a-f.:]+)\]$/i.exec(helo)?.[1]
  if (literal !== undefined)
    return literal.toLowerCase() === ip.toLowerCase() ? undefined : `HELO ${helo} from ${ip}`
  const isBare = isIP(helo) !== 0 || !helo.includes('.') || /^localhost\b/i.test(helo)
  const isNear = ip === '::1' || ip.startsWith('127.')
  return isBare && !isNear ? `HELO ${helo} names no host` : undefined
}

function subjectCaps({ subject }: Facts): string | undefined {
  const letters = subject.match(/[A-Za-z]/g)?.length ?? 0
  const capitals = subject.match(/[A-Z]/g)?.length ?? 0
  return letters >= 12 && capitals / letters > 0.9 ? 'the subject shouts' : undefined
}

function fromNameAddress({ from }: Facts): string | undefined {
  for (const { name, host } of from) {
    const shown = /[^\s<@]+@([^\s>@]+\.[^\s>@)"']+)/.exec(decodeWords(name ?? ''))?.[1]
    if (shown !== undefined && shown.toLowerCase() !== (host ?? '').toLowerCase())
      return `the name shows ${shown}, the address is at ${host ?? 'no host'}`
  }
  return undefined
}

function hiddenRecipients(facts: Facts): string | undefined {
  if (!isInbound(facts)) return undefined
  const shown = shownRecipients(facts)
  const named = envelopeRecipients(facts).filter((address) => shown.includes(address))
  if (named.length > 0 || facts.recipients.length < 5) return undefined
  return `${facts.recipients.length} recipients, none of them named`
}
