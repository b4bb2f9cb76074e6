import { oneLine } from '#base/text.ts'
import type { AccountId } from '#model/account.ts'
import { SENDER_RESULTS } from '#model/verdict.ts'
import type { AuthResult, RuleHit, SpamClass, Verdict, VirusOutcome } from '#model/verdict.ts'

/** What a gateway tells the store about a message that it hands on. */
export interface Handed {
  readonly deliveryId: string
  readonly verdict?: Verdict
}

/** Octets of the XWATARI parameter: it must fit into a MAIL command beside an address. */
export const HANDED_BYTES_MAX = 2_400
const HITS_MAX = 200
const HANDED_HITS_MAX = 20
const TEXT_LENGTH_MAX = 1_000

/** The value of the X-Watari-Verdict field, ASCII, folded. */
export function renderVerdict(verdict: Verdict): string {
  const parts = [
    verdict.class,
    `score=${formatScore(verdict.score)}`,
    `case=${word(verdict.caseId)}`,
    `virus=${word(verdict.virus.kind)}`,
    ...(verdict.degraded.length === 0 ? [] : [`degraded=${verdict.degraded.map(word).join(',')}`]),
    ...(verdict.hits.length === 0
      ? []
      : [`rules=${verdict.hits.slice(0, HANDED_HITS_MAX).map(hit).join(',\r\n\t')}`]),
  ]
  return parts.join(';\r\n\t')
}

/** The class in a field that `renderVerdict` has written; undefined where it is none. */
export function verdictClassOf(field: string | undefined): SpamClass | undefined {
  const word = field?.split(';')[0]?.trim()
  return CLASSES.find((known) => known === word)
}

const formatScore = (score: number): string => String(Math.round(score * 10) / 10)

const hit = (one: RuleHit): string => `${word(one.name)}:${formatScore(one.score)}`
const word = (text: string): string => oneLine(text, 60).replace(/[^A-Za-z0-9._:-]/g, '_')

/** The XWATARI parameter of MAIL: base64url of JSON, without details that only people want. */
export function renderHanded(handed: Handed): string {
  const { deliveryId, verdict } = handed
  if (verdict === undefined) return encode({ deliveryId })
  const short: Verdict = {
    ...verdict,
    hits: verdict.hits
      .toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score))
      .slice(0, HANDED_HITS_MAX)
      .map(({ name, score }) => ({ name, score })),
    auth: verdict.auth.map(({ method, result }) => ({ method, result, properties: [] })),
  }
  const text = encode({ deliveryId, verdict: short })
  if (text.length <= HANDED_BYTES_MAX) return text
  return encode({ deliveryId, verdict: { ...short, hits: [], auth: [] } })
}

const encode = (handed: Handed): string => Buffer.from(JSON.stringify(handed)).toString('base64url')

/** The reverse; undefined where the text is not what a gateway writes. */
export function parseHanded(text: string): Handed | undefined {
  if (text.length > 4 * HANDED_BYTES_MAX || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const value = parseJson(Buffer.from(text, 'base64url').toString('utf8'))
  if (!isRecord(value)) return undefined
  const { deliveryId, verdict } = value
  if (typeof deliveryId !== 'string' || !/^[A-Za-z0-9-]{1,200}$/.test(deliveryId)) return undefined
  if (verdict === undefined) return { deliveryId }
  const parsed = parseVerdict(verdict)
  return parsed === undefined ? undefined : { deliveryId, verdict: parsed }
}

/** A verdict out of parsed JSON, checked whole; undefined where it is none. */
function parseVerdict(value: unknown): Verdict | undefined {
  if (!isRecord(value)) return undefined
  const { score, caseId } = value
  const spamClass = CLASSES.find((known) => known === value['class'])
  const virus = parseVirus(value['virus'])
  const hits = listOf(value['hits'], HITS_MAX, parseHit)
  const auth = listOf(value['auth'], HITS_MAX, parseAuth)
  const degraded = listOf(value['degraded'], 20, text)
  const isWhole = virus !== undefined && hits !== undefined && auth !== undefined
  if (!isWhole || spamClass === undefined || degraded === undefined) return undefined
  if (!isNumber(score) || text(caseId) === undefined) return undefined
  const by = value['submittedBy']
  if (by !== undefined && text(by) === undefined) return undefined
  return {
    class: spamClass,
    score,
    hits,
    virus,
    auth,
    caseId: caseId as string,
    degraded,
    ...(by !== undefined && { submittedBy: by as AccountId }),
  }
}

const CLASSES: readonly SpamClass[] = ['clean', 'suspected', 'spam']
const METHODS: readonly string[] = ['spf', 'dkim', 'dmarc'] satisfies AuthResult['method'][]
const RESULTS: readonly string[] = SENDER_RESULTS

function parseVirus(value: unknown): VirusOutcome | undefined {
  if (!isRecord(value)) return undefined
  const { kind, name, reason } = value
  if (kind === 'clean') return { kind }
  if (kind === 'infected' && text(name) !== undefined) return { kind, name: name as string }
  if ((kind === 'unscannable' || kind === 'unavailable') && text(reason) !== undefined)
    return { kind, reason: reason as string }
  return undefined
}

function parseHit(value: unknown): RuleHit | undefined {
  if (!isRecord(value)) return undefined
  const { name, score, detail } = value
  if (text(name) === undefined || !isNumber(score)) return undefined
  if (detail !== undefined && text(detail) === undefined) return undefined
  return {
    name: name as string,
    score,
    ...(detail === undefined ? {} : { detail: detail as string }),
  }
}

function parseAuth(value: unknown): AuthResult | undefined {
  if (!isRecord(value)) return undefined
  const { method, result } = value
  const properties = listOf(value['properties'], 20, (pair) =>
    Array.isArray(pair) && text(pair[0]) !== undefined && text(pair[1]) !== undefined
      ? ([pair[0] as string, pair[1] as string] as const)
      : undefined,
  )
  if (properties === undefined || !METHODS.includes(method as string)) return undefined
  if (!RESULTS.includes(result as string)) return undefined
  return {
    method: method as AuthResult['method'],
    result: result as AuthResult['result'],
    properties,
  }
}

/** Every item parsed, or undefined. */
function listOf<T>(
  value: unknown,
  countMax: number,
  parse: (item: unknown) => T | undefined,
): T[] | undefined {
  if (!Array.isArray(value) || value.length > countMax) return undefined
  const items = value.map(parse)
  return items.every((item) => item !== undefined) ? items : undefined
}

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= TEXT_LENGTH_MAX ? value : undefined
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
