import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { messageOf } from '#base/outcome.ts'
import { parseFilter } from '#codec/ldap/filter.ts'
import type { newSource } from '#contract/admin/sources.ts'
import { PRESETS } from '#engine/people/attribute-map.ts'
import type { ClientIdentity } from '#model/client-identity.ts'
import { parseSourceUrl } from '#model/source.ts'
import type { DirectorySource, SourceServer } from '#model/source.ts'
import type { Directory } from '#store/directory/directory.ts'
import { ApiError } from './errors.ts'

const ORDER_STEP = 10
const KEY = 'entryUUID'

/**
 * The source that a request sets; what is not told of its secrets stays where it was meant for. Throws what
 * is wrong with it.
 */
export function rowOf(
  directory: Directory,
  name: string,
  set: z.infer<typeof newSource>,
): DirectorySource {
  const before = directory.source(name)
  const { base, filter, map, ca, bindDn } = set
  if (filter !== undefined) {
    const parsed = parseFilter(filter)
    if (!parsed.ok)
      throw new ApiError(
        'invalid',
        `filter: ${parsed.error}`,
        'Write it as RFC 4515 has it: (uid=*).',
      )
  }
  const preset = Object.keys(PRESETS).find((each) => each.toLowerCase() === map?.toLowerCase())
  if (map !== undefined && preset === undefined)
    throw new ApiError(
      'invalid',
      `there is no map ${map}`,
      `Known: ${Object.keys(PRESETS).join(', ')}.`,
    )
  const servers = serversOf(set)
  const isThere = isForThese(before, set, servers)
  const bindPasswordBase64 =
    set.bindPasswordBase64 ??
    (isThere && before?.bind?.dn === bindDn ? before?.bind?.passwordBase64 : undefined)
  const identity = identityOf(set, isThere ? before?.identity : undefined)
  if (identity !== undefined && servers.some(({ tls }) => tls === 'none'))
    throw new ApiError(
      'invalid',
      'a certificate is shown by TLS alone',
      'Give ldaps://HOST, or ldap://HOST without --plain.',
    )
  if (set.adoptPasswords === true && set.auth === 'hash')
    throw new ApiError(
      'invalid',
      'passwords of a source with hashes are ours already',
      'Leave out either --auth hash or --adopt-passwords.',
    )
  if ((bindDn === undefined) !== (bindPasswordBase64 === undefined))
    throw new ApiError(
      'invalid',
      'a name to bind with and its password belong together',
      'Give --bind DN with --password-stdin, or neither.',
    )
  const last = Math.max(0, ...directory.sources().map(({ order }) => order))
  return {
    name,
    order: set.order ?? before?.order ?? last + ORDER_STEP,
    servers,
    ...(ca !== undefined && { ca }),
    base,
    ...(filter !== undefined && { filter }),
    ...(preset !== undefined && { map: preset }),
    key: set.key ?? KEY,
    ...(bindDn !== undefined &&
      bindPasswordBase64 !== undefined && {
        bind: { dn: bindDn, passwordBase64: bindPasswordBase64 },
      }),
    ...(identity !== undefined && { identity }),
    auth: set.auth ?? 'bind',
    ...(set.adoptPasswords === true && { adoptPasswords: true }),
    ...((set.groups ?? before?.groups) === true && { groups: true }),
  }
}

const serversOf = ({ urls, plain }: z.infer<typeof newSource>): readonly SourceServer[] =>
  urls.map((url) => {
    const server = parseSourceUrl(url)
    if (server === undefined)
      throw new ApiError(
        'invalid',
        `${url} is no place of a directory`,
        'Give ldaps://HOST[:PORT] or ldap://HOST[:PORT].',
      )
    return plain === true && server.tls === 'starttls' ? { ...server, tls: 'none' } : server
  })

/**
 * Whether the secrets that are there are meant for these places: one that they were not meant for, one that
 * is reached without TLS now or shows another certificate, would be told them. There they are asked for again.
 */
function isForThese(
  before: DirectorySource | undefined,
  { ca }: z.infer<typeof newSource>,
  servers: readonly SourceServer[],
): boolean {
  if (before === undefined || before.ca !== ca) return false
  const isKnown = (server: SourceServer): boolean =>
    before.servers.some((each) => isDeepStrictEqual(each, server))
  return servers.every(isKnown)
}

function identityOf(
  { bindCertificate: certificate, bindKey }: z.infer<typeof newSource>,
  before: ClientIdentity | undefined,
): ClientIdentity | undefined {
  const key = bindKey ?? (before?.certificate === certificate ? before?.key : undefined)
  if (certificate === undefined && bindKey === undefined) return undefined
  if (certificate === undefined || key === undefined)
    throw new ApiError(
      'invalid',
      'a certificate and its key belong together',
      'Give --bind-cert FILE with --bind-key FILE, or neither.',
    )
  try {
    createSecureContext({ cert: certificate, key })
  } catch (cause) {
    throw new ApiError(
      'invalid',
      `the certificate and its key cannot be used: ${messageOf(cause)}`,
      'Give both in PEM, the key without a password: openssl pkey -in KEY -out PLAIN.',
    )
  }
  return { certificate, key }
}
