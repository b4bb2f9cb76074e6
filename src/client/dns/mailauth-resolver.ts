import type { RecordType } from './wire.ts'
import type { Resolver } from './resolver.ts'

/** The shape that mailauth asks its `resolver` option for: that of Node's dns.promises.resolve. */
export type MailauthResolver = (name: string, type: string) => Promise<readonly unknown[]>

const TYPES: ReadonlySet<string> = new Set(['A', 'AAAA', 'CNAME', 'MX', 'PTR', 'TXT'])

/** Our resolver for mailauth; `onTemperror` hears of each name that nobody could tell about. */
export function mailauthResolver(
  resolver: Resolver,
  onTemperror?: (name: string, reason: string) => void,
): MailauthResolver {
  return async (name, type) => {
    if (!TYPES.has(type)) throw failure('ENOTIMP', type, name)
    const answer = await resolver.query(name, type as RecordType)
    if (answer.kind === 'temperror') {
      onTemperror?.(name, answer.reason)
      throw failure('ETIMEOUT', type, name)
    }
    if (answer.kind === 'none') throw failure(answer.exists ? 'ENODATA' : 'ENOTFOUND', type, name)
    if (type === 'MX')
      return answer.records.map((r) => ({ exchange: r.text, priority: r.preference ?? 0 }))
    return answer.records.map((record) => (type === 'TXT' ? [record.text] : record.text))
  }
}

const failure = (code: string, type: string, name: string): Error =>
  Object.assign(new Error(`query${type} ${code} ${name}`), { code })
