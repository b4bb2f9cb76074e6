/** One limit with its use, in octets or messages. */
export interface Limited {
  readonly used: number
  readonly limit: number
  /** From here on it is nearly full. */
  readonly warnAt: number
  readonly isOctets: boolean
}

export type Fullness = 'free' | 'near' | 'full'

export interface FullestLimit extends Limited {
  readonly fullness: Fullness
  /** 0 to 100, rounded down: what is not full does not look it. */
  readonly percent: number
}

/** Where less is left, an ordinary mail finds no room. */
const MAIL_BYTES = 100_000

/** Of several limits the one that is used most; undefined where nothing is limited. */
export function fullest(limits: readonly Limited[]): FullestLimit | undefined {
  const [most] = limits.toSorted((a, b) => b.used / b.limit - a.used / a.limit)
  if (most === undefined) return undefined
  const { used, limit, warnAt, isOctets } = most
  const room = isOctets ? Math.min(MAIL_BYTES, limit / 20) : 1
  const fullness = used > limit - room ? 'full' : used >= warnAt ? 'near' : 'free'
  return { ...most, fullness, percent: Math.min(100, Math.floor((used / limit) * 100)) }
}
