/** Where one recipient's message goes next; decided again at each attempt. */
export type NextHop =
  | { readonly kind: 'local' } // the store of this installation, by LMTP
  | { readonly kind: 'lmtp'; readonly host: string; readonly port: number }
  | { readonly kind: 'smtp'; readonly host: string; readonly port: number }
  | { readonly kind: 'mx'; readonly domain: string }
  | { readonly kind: 'hold' }

/** A row of the route table: by exact address, or by domain. */
export interface RouteRow {
  /** `user@domain` or `domain`, lower-case. */
  readonly match: string
  readonly nextHop: NextHop
}

/** `smtp:host:25`, `lmtp:[::1]:24`, `mx:example.org`, `local`, `hold`. */
export function formatNextHop(hop: NextHop): string {
  switch (hop.kind) {
    case 'local':
    case 'hold':
      return hop.kind
    case 'mx':
      return `mx:${hop.domain}`
    case 'lmtp':
    case 'smtp':
      return `${hop.kind}:${hop.host.includes(':') ? `[${hop.host}]` : hop.host}:${hop.port}`
  }
}

/** The reverse of formatNextHop; undefined where the text names no next hop. */
export function parseNextHop(text: string): NextHop | undefined {
  if (text === 'local' || text === 'hold') return { kind: text }
  const match = /^(smtp|lmtp):(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[4])
  if (port < 1 || port > 65_535) return undefined
  return { kind: match[1] as 'smtp' | 'lmtp', host: match[2] ?? match[3]!, port }
}
