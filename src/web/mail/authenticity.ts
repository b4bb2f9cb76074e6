/** Whether the sender's domain stands behind the mail. */
export interface Authenticity {
  readonly word: 'proved' | 'partly' | 'forged' | 'unknown'
  /** `spf=pass`, in the order of the field. */
  readonly results: readonly { readonly method: string; readonly result: string }[]
}

export interface VerdictShown {
  readonly class: 'clean' | 'suspected' | 'spam'
  readonly score: string
  readonly caseId: string
  /** clean, infected, unscannable, unavailable. */
  readonly virus: string
  /** What could not be asked when it was judged. */
  readonly degraded: readonly string[]
  readonly rules: readonly { readonly name: string; readonly score: number }[]
}

/** The X-Watari-Verdict field; undefined where it is none. */
export function readVerdict(field: string | null): VerdictShown | undefined {
  const [first = '', ...rest] = (field ?? '').split(';').map((each) => each.trim())
  if (first !== 'clean' && first !== 'suspected' && first !== 'spam') return undefined
  const values = new Map(
    rest.map((each): [string, string] => {
      const at = each.indexOf('=')
      return [each.slice(0, at), each.slice(at + 1).replace(/\s+/g, '')]
    }),
  )
  const list = (name: string): string[] => (values.get(name) ?? '').split(',').filter(Boolean)
  return {
    class: first,
    score: values.get('score') ?? '0',
    caseId: values.get('case') ?? '',
    virus: values.get('virus') ?? 'unavailable',
    degraded: list('degraded'),
    rules: list('rules').map((each) => {
      const at = each.lastIndexOf(':')
      return { name: each.slice(0, at), score: Number(each.slice(at + 1)) || 0 }
    }),
  }
}

/**
 * The topmost Authentication-Results in a word. Only where our verdict stands beside it: everybody
 * can write such a field, and our gateways take out what is not ours.
 */
export function readAuthenticity(
  fields: readonly string[],
  ask: { readonly isJudged: boolean; readonly fromDomain: string },
): Authenticity {
  const field = ask.isJudged ? (fields[0] ?? '') : ''
  const results = Array.from(
    field.matchAll(/(?:^|[;\s])(spf|dkim|dmarc)=([a-z]+)([^;]*)/gi),
    ([, method = '', result = '', more = '']) => ({
      method: method.toLowerCase(),
      result: result.toLowerCase(),
      more,
    }),
  )
  const resultOf = (name: string): string | undefined =>
    results.find(({ method }) => method === name)?.result
  const dmarc = resultOf('dmarc')
  const from = ask.fromDomain.toLowerCase()
  const passes = results.filter(({ method, result }) => method !== 'dmarc' && result === 'pass')
  const isAligned = passes.some(({ more }) =>
    Array.from(more.matchAll(/[\w.]+=(?:[^\s;]*@)?([\w.-]+)/g), ([, domain = '']) =>
      domain.toLowerCase(),
    ).some((domain) => domain === from || from.endsWith(`.${domain}`)),
  )
  const word =
    dmarc === 'pass' ? 'proved' : dmarc === 'fail' ? 'forged' : isAligned ? 'partly' : 'unknown'
  return { word, results: results.map(({ method, result }) => ({ method, result })) }
}
