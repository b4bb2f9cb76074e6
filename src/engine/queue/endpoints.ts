import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Resolver } from '#client/dns/resolver.ts'
import type { Endpoint } from '#client/smtp/job.ts'
import type { Reply } from '#model/reply.ts'
import type { NextHop } from '#model/route.ts'

export interface EndpointSources {
  readonly resolver: Resolver
  /** The store's LMTP door of this installation. */
  readonly local: () => readonly Endpoint[]
  /** Whether one of our own listeners for mail from outside answers there. */
  readonly isOwn: (ip: string, port: number) => boolean
  /** 25, unless a test says otherwise. */
  readonly mxPort: number
}

const HOSTS_MAX = 10

/** Where to connect for a next hop, in order; or the reply that takes the place of a peer's. */
export function endpointsOf(
  hop: Exclude<NextHop, { kind: 'hold' }>,
  sources: EndpointSources,
): Promise<Outcome<readonly Endpoint[], Reply>> {
  switch (hop.kind) {
    case 'local':
      return Promise.resolve(ok(sources.local()))
    case 'mx':
      return exchangersOf(hop.domain, sources)
    case 'lmtp':
    case 'smtp':
      return hostOf(hop, sources)
  }
}

const temporary = (text: string): Reply => ({ code: 451, status: '4.4.3', text })
const LOOP: Reply = {
  code: 554,
  status: '5.4.6',
  text: 'mail for this domain would come back to us',
}

async function hostOf(
  hop: { readonly host: string; readonly port: number },
  sources: EndpointSources,
): Promise<Outcome<readonly Endpoint[], Reply>> {
  const answer = await sources.resolver.addresses(hop.host)
  if (answer.kind === 'temperror') return err(temporary(answer.reason))
  // A route of ours that leads nowhere is our own trouble: nobody's mail comes back for it.
  if (answer.kind === 'none') return err(temporary(`no address of ${hop.host}`))
  if (answer.records.some((ip) => sources.isOwn(ip, hop.port))) return err(LOOP)
  return ok(answer.records.map((ip) => ({ name: hop.host, ip, port: hop.port })))
}

async function exchangersOf(
  domain: string,
  sources: EndpointSources,
): Promise<Outcome<readonly Endpoint[], Reply>> {
  const answer = await sources.resolver.mx(domain)
  if (answer.kind === 'temperror') return err(temporary(answer.reason))
  if (answer.kind === 'null')
    return err({ code: 556, status: '5.1.10', text: `${domain} takes no mail` }) // RFC 7505 §4.2
  if (answer.kind === 'none')
    return err({ code: 550, status: '5.1.2', text: `there is no domain ${domain}` })
  const hosts = shuffled(answer.records).slice(0, HOSTS_MAX)
  const found = await Promise.all(
    hosts.map(async (host) => ({ ...host, answer: await addressesOf(host.host, sources) })),
  )
  const own = found.filter(({ answer: a }) =>
    a.records.some((ip) => sources.isOwn(ip, sources.mxPort)),
  )
  // RFC 5321 §5.1: ourselves, and all that are no nearer than ourselves, are left out
  const limit = Math.min(...own.map((host) => host.preference))
  const endpoints = found
    .filter((host) => host.preference < limit)
    .flatMap(({ host, answer: a }) =>
      a.records.map((ip) => ({ name: host, ip, port: sources.mxPort })),
    )
  if (endpoints.length > 0) return ok(endpoints)
  if (own.length > 0) return err(LOOP)
  const trouble = found.find(({ answer: a }) => a.reason !== undefined)
  if (trouble?.answer.reason !== undefined) return err(temporary(trouble.answer.reason))
  return err({ code: 550, status: '5.4.4', text: `no mail server of ${domain} has an address` })
}

async function addressesOf(
  host: string,
  sources: EndpointSources,
): Promise<{ readonly records: readonly string[]; readonly reason?: string }> {
  if (isIP(host) !== 0) return { records: [] } // RFC 5321 §5.1: an exchanger is a name
  const answer = await sources.resolver.addresses(host)
  if (answer.kind === 'found') return { records: answer.records }
  return answer.kind === 'temperror' ? { records: [], reason: answer.reason } : { records: [] }
}

/** Sorted by preference; equals in an order of chance (RFC 5321 §5.1). */
function shuffled<T extends { readonly preference: number }>(hosts: readonly T[]): readonly T[] {
  return hosts
    .map((host) => ({ host, chance: randomInt(2 ** 32) }))
    .toSorted((a, b) => a.host.preference - b.host.preference || a.chance - b.chance)
    .map(({ host }) => host)
}
