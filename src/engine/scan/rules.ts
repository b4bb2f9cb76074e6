import { DAY_MS } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { Door } from '#model/envelope.ts'
import type { HeaderAddress } from '#model/message.ts'
import type { AuthResult, RuleHit } from '#model/verdict.ts'

import type { MessageViews } from './views.ts'

/** What a rule can look at. */
export interface Evidence {
  readonly views: MessageViews
  readonly auth: readonly AuthResult[]
  readonly door: Door
  readonly recipients: number
  readonly nowMs: number
}

interface Rule {
  readonly name: string
  readonly score: number
  /** What it saw, `true` for nothing to add, undefined where it does not fire. */
  readonly sees: (evidence: Evidence) => string | true | undefined
}

// Written in two pieces, so that this file itself is no spam.
const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN', 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL', 'C.34X'].join(
  '*',
)
const EXECUTABLE = /\.(?:exe|scr|pif|com|bat|cmd|js|jse|vbs|vbe|wsf|hta|ps1|lnk|msi|jar|cpl|reg)$/i
const DOUBLE_EXTENSION = /\.(?:pdf|docx?|xlsx?|jpe?g|png|txt|zip)\s*\.[a-z0-9]{2,4}$/i
const NUMERIC_URL = /https?:\/\/(?:[^\s/@]*@)?(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?:\/|\s|$)/i
const LURES_JA =
  /(?:アカウント|口座|カード).{0,20}(?:停止|制限|凍結|ロック)|当選(?:しました|おめでとう)|本人確認.{0,20}(?:必要|お願い)|未納|架空/
const DATE_PAST_DAYS = 30
const DATE_FUTURE_DAYS = 3

const yes = (holds: boolean): true | undefined => (holds ? true : undefined)

const authIs = (evidence: Evidence, method: AuthResult['method'], result: string) =>
  yes(evidence.auth.some((each) => each.method === method && each.result === result))

/** The rules in the order in which they are shown. Scores add up; each says why. */
const RULES: readonly Rule[] = [
  {
    name: 'GTUBE',
    score: 100,
    sees: ({ views }) => yes(views.text.includes(GTUBE)),
  },
  {
    name: 'MISSING_FROM',
    score: 2,
    sees: ({ views }) => yes((views.meta.envelope.from?.length ?? 0) === 0),
  },
  {
    name: 'MISSING_DATE',
    score: 1,
    sees: ({ views }) => yes(views.meta.envelope.date === undefined),
  },
  {
    name: 'MISSING_MESSAGE_ID',
    score: 0.5,
    sees: ({ views }) => yes(views.meta.envelope.messageId === undefined),
  },
  { name: 'DATE_FAR_OFF', score: 1.5, sees: dateFarOff },
  { name: 'SPF_FAIL', score: 2.5, sees: (evidence) => authIs(evidence, 'spf', 'fail') },
  { name: 'SPF_SOFTFAIL', score: 1, sees: (evidence) => authIs(evidence, 'spf', 'softfail') },
  { name: 'DMARC_FAIL', score: 3.5, sees: (evidence) => authIs(evidence, 'dmarc', 'fail') },
  { name: 'FORGED_DISPLAY_NAME', score: 2.5, sees: forgedDisplayName },
  { name: 'SUBJECT_ALL_CAPS', score: 1, sees: subjectAllCaps },
  {
    name: 'EXECUTABLE_ATTACHMENT',
    score: 5,
    sees: ({ views }) => views.parts.find((part) => EXECUTABLE.test(part.fileName ?? ''))?.fileName,
  },
  {
    name: 'DOUBLE_EXTENSION',
    score: 2,
    sees: ({ views }) =>
      views.parts.find((part) => DOUBLE_EXTENSION.test(part.fileName ?? ''))?.fileName,
  },
  {
    name: 'NUMERIC_URL',
    score: 2,
    sees: ({ views }) => NUMERIC_URL.exec(views.text)?.[0].trim(),
  },
  {
    name: 'LURE_JA',
    score: 2,
    sees: ({ views }) =>
      /https?:\/\//.test(views.text) ? LURES_JA.exec(views.text)?.[0] : undefined,
  },
  {
    name: 'HTML_ONLY',
    score: 0.5,
    sees: ({ views }) => {
      const texts = views.parts.filter(({ part }) => part.type === 'text')
      return yes(texts.length > 0 && texts.every(({ part }) => part.subtype === 'html'))
    },
  },
  {
    name: 'HIDDEN_RECIPIENTS',
    score: 0.5,
    sees: ({ views, recipients }) => {
      const { to, cc } = views.meta.envelope
      return yes(recipients > 10 && (to?.length ?? 0) + (cc?.length ?? 0) === 0)
    },
  },
]

/** Every rule that fires, with what it saw. */
export function hitsOf(evidence: Evidence): RuleHit[] {
  return RULES.flatMap(({ name, score, sees }) => {
    const seen = sees(evidence)
    if (seen === undefined) return []
    return [{ name, score, ...(seen !== true && { detail: seen.slice(0, 200) }) }]
  })
}

function dateFarOff({ views, nowMs }: Evidence): string | undefined {
  const { sentAtMs } = views.meta
  if (sentAtMs === undefined) return undefined
  const days = (sentAtMs - nowMs) / DAY_MS
  if (days <= DATE_FUTURE_DAYS && days >= -DATE_PAST_DAYS) return undefined
  return `${Math.abs(Math.round(days))} days ${days > 0 ? 'ahead' : 'behind'}`
}

/** A name that shows an address of another domain than the one that writes. */
function forgedDisplayName({ views }: Evidence): string | undefined {
  for (const from of views.meta.envelope.from ?? []) {
    const shown = /[\w.+-]+@([\w-]+(?:\.[\w-]+)+)/.exec(nameOf(from))
    if (shown !== null && shown[1]!.toLowerCase() !== from.host?.toLowerCase()) return shown[0]
  }
  return undefined
}

const nameOf = (address: HeaderAddress): string => decodeWords(address.name ?? '')

function subjectAllCaps({ views }: Evidence): true | undefined {
  const letters = decodeWords(views.meta.envelope.subject ?? '').replace(/[^A-Za-z]/g, '')
  return yes(letters.length >= 12 && letters === letters.toUpperCase())
}
