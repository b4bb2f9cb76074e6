import { SECOND_MS } from '#base/time.ts'
import type { SourceBody } from '#contract/admin/sources.ts'
import type { SourceState } from '#engine/people/source-keeper.ts'
import type { Account } from '#model/account.ts'
import { formatSourceUrl, parseSourceUrl } from '#model/source.ts'
import type { DirectorySource, SourceServer } from '#model/source.ts'
import type { Directory } from '#store/directory/directory.ts'
import { isoTime } from './context.ts'

export const NOTES_MAX = 1_000

/** A source as it is set and how it is, without what is secret of it. */
export function sourceBody(
  row: DirectorySource,
  state: SourceState | undefined,
  directory: Directory,
): SourceBody {
  const { name, order, servers, ca, base, filter, map, key, bind, identity, auth } = row
  return {
    name,
    order,
    urls: servers.map(formatSourceUrl),
    ...(ca !== undefined && { ca }),
    base,
    ...(filter !== undefined && { filter }),
    ...(map !== undefined && { map }),
    key,
    ...(bind !== undefined && { bindDn: bind.dn }),
    ...(identity !== undefined && { bindCertificate: identity.certificate }),
    auth,
    ...(row.adoptPasswords === true && {
      adoptPasswords: true,
      ...adoption(name, directory.accounts()),
    }),
    ...(isPlain(servers) && { plain: true }),
    ...(row.groups === true && { groups: true }),
    state: state?.state ?? 'unread',
    ...(state?.mode !== undefined && { mode: state.mode }),
    ...(state?.readAtMs !== undefined && { readAt: isoTime(state.readAtMs) }),
    ...(state?.newsAtMs !== undefined && { newsAt: isoTime(state.newsAtMs) }),
    ...(state?.people !== undefined && { people: state.people }),
    ...(state?.groups !== undefined && { groupCount: state.groups }),
    ...(state?.error !== undefined && { error: state.error }),
    hosts: (state?.hosts ?? []).map((host) => hostBody(host)),
    notes: (state?.notes ?? []).slice(0, NOTES_MAX).map((each) => ({ ...each })),
  }
}

/** Somebody has said that it goes without TLS: the URL alone would not. */
const isPlain = (servers: readonly SourceServer[]): boolean =>
  servers.some((server) => parseSourceUrl(formatSourceUrl(server))?.tls !== server.tls)

/** Once nobody is left to adopt, the source is needed for passwords no longer. */
function adoption(name: string, accounts: Iterable<Account>): { adopted: number; toAdopt: number } {
  let [adopted, toAdopt] = [0, 0]
  for (const { origins = [], bind, isGone } of accounts) {
    if (isGone === true) continue
    if (bind?.source === name) toAdopt++
    if (origins.some((origin) => origin.source === name && origin.isAdopted === true)) adopted++
  }
  return { adopted, toAdopt }
}

type Host = SourceState['hosts'][number]

/** How a server of a source is. */
export const hostBody = ({
  server,
  state,
  error,
  lagMs,
  isFollowed,
}: Pick<Host, 'server' | 'state' | 'error'> & Partial<Host>) => ({
  url: formatSourceUrl(server),
  state,
  ...(isFollowed === true && { followed: true as const }),
  ...(lagMs !== undefined && { lagSeconds: lagMs / SECOND_MS }),
  ...(error !== undefined && { error }),
})
