import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isFault, ok } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import { done } from '#contract/admin/common.ts'
import {
  explained,
  newSource,
  removeSource,
  source,
  sourceTrial,
  sources,
  testSource,
  writtenSource,
} from '#contract/admin/sources.ts'
import type { SourceBody } from '#contract/admin/sources.ts'
import { hostsOf, readSource } from '#engine/people/read-source.ts'
import { PRESETS } from '#engine/people/attribute-map.ts'
import type { SourceState } from '#engine/people/source-keeper.ts'
import { parseFilter } from '#codec/ldap/filter.ts'
import { formatAddress } from '#model/address.ts'
import type { Account } from '#model/account.ts'
import { isKept } from '#model/account-life.ts'
import type { Person } from '#model/person.ts'
import { formatSourceUrl, parseSourceUrl } from '#model/source.ts'
import type { DirectorySource, SourceServer } from '#model/source.ts'
import { schemeOf } from '#store/directory/password.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { authorOf, isoTime, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { addressIn, mainAddress } from './lookup.ts'
import { needNoBoundRole } from './permission.ts'

const named = z.object({ name: z.string() })
const ORDER_STEP = 10
const KEY = 'entryUUID'
const SAMPLE = 10
const NOTES_MAX = 1_000

/** Other directories whose people are ours, in their order. */
export function sourceRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const body = (row: DirectorySource): SourceBody =>
    sourceBody(
      row,
      deps.sources?.states().find(({ name }) => name === row.name),
      directory,
    )

  app.get(
    '/directory/sources',
    { config: { permission: 'sources.read' }, schema: { response: { 200: sources } } },
    async () => ({
      items: directory.sources().map(body),
      maps: Object.keys(PRESETS),
    }),
  )

  app.get(
    '/directory/sources/:name',
    {
      config: { permission: 'sources.read' },
      schema: { params: named, response: { 200: source } },
    },
    async ({ params }) => body(sourceOf(directory, params.name)),
  )

  app.put(
    '/directory/sources/:name',
    {
      config: { permission: 'sources.write' },
      schema: { params: named, body: newSource, response: { 200: writtenSource } },
    },
    async (request) => {
      const { name } = request.params
      needNoBoundRole(request, directory)
      const row = rowOf(directory, name, request.body)
      const edits: DirectoryEdit[] = [{ kind: 'put', row: { kind: 'source', source: row } }]
      taken(await deps.directory.write(edits, authorOf(request)))
      return { ...body(row), pending: [...(await deps.hub.settled())] }
    },
  )

  app.post(
    '/directory/sources/:name/read',
    {
      config: { permission: 'sources.write' },
      schema: {
        params: named,
        body: z.object({ accept: z.boolean().default(false) }),
        response: { 200: source },
      },
    },
    async ({ params, body: { accept } }) => {
      const row = sourceOf(directory, params.name)
      await deps.sources?.read(row.name, { accept })
      await deps.hub.settled() // who is told that it is read may look at any node
      return body(row)
    },
  )

  app.post(
    '/directory/sources/:name/test',
    {
      config: { permission: 'sources.write' },
      schema: { params: named, body: testSource, response: { 200: sourceTrial } },
    },
    async ({ params: { name }, body: asked }) =>
      trial(
        deps,
        asked?.as === undefined ? sourceOf(directory, name) : rowOf(directory, name, asked.as),
      ),
  )

  app.delete(
    '/directory/sources/:name',
    {
      config: { permission: 'sources.write' },
      schema: { params: named, querystring: removeSource, response: { 200: done } },
    },
    async (request) => {
      const row = sourceOf(directory, request.params.name)
      needNoBoundRole(request, directory)
      const keeps = request.query.keepPeople === 'true'
      const written = await deps.directory.update(
        (now) =>
          ok([...without(now, row.name, keeps), { kind: 'remove', key: `source:${row.name}` }]),
        authorOf(request),
      )
      taken(written)
      return { pending: [...(await deps.hub.settled())] }
    },
  )

  app.get(
    '/directory/explain/:address',
    {
      config: { permission: 'people.read' },
      schema: { params: z.object({ address: z.string() }), response: { 200: explained } },
    },
    async ({ params }: FastifyRequest<{ Params: { address: string } }>) =>
      explain(deps, params.address),
  )
}

function sourceOf(directory: Directory, name: string): DirectorySource {
  const found = directory.source(name)
  if (found !== undefined) return found
  throw new ApiError(
    'notFound',
    `there is no source ${name}`,
    'watari directory sources ls shows what there is.',
  )
}

function rowOf(
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
  const bindPasswordBase64 = set.bindPasswordBase64 ?? keptPassword(before, set, servers)
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
 * The password that is there, for whoever changes something else. A place that it was not meant for,
 * one that is reached without TLS now or shows another certificate, would be told it: there it is
 * asked for again.
 */
function keptPassword(
  before: DirectorySource | undefined,
  { bindDn, ca }: z.infer<typeof newSource>,
  servers: readonly SourceServer[],
): string | undefined {
  if (before?.bind === undefined || before.bind.dn !== bindDn || before.ca !== ca) return undefined
  const isKnown = (server: SourceServer): boolean =>
    before.servers.some((each) => isDeepStrictEqual(each, server))
  return servers.every(isKnown) ? before.bind.passwordBase64 : undefined
}

/** Somebody has said that it goes without TLS: the URL alone would not. */
const isPlain = (servers: readonly SourceServer[]): boolean =>
  servers.some((server) => parseSourceUrl(formatSourceUrl(server))?.tls !== server.tls)

function sourceBody(
  row: DirectorySource,
  state: SourceState | undefined,
  directory: Directory,
): SourceBody {
  const { name, order, servers, ca, base, filter, map, key, bind, auth } = row
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

const hostBody = ({
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

/** Reads it once, and takes nothing. */
async function trial(deps: AdminDeps, row: DirectorySource): Promise<z.infer<typeof sourceTrial>> {
  const { directory } = deps.directory
  const hosts = hostsOf(row, deps.clock)
  try {
    const { people, groups, exceptions } = await readSource(row, hosts)
    return {
      people: people.size,
      ...(row.groups === true && { groupCount: groups.size }),
      sample: [...people.values()].slice(0, SAMPLE).map(({ dn, person }) => ({
        dn,
        address: `${person.username}@${person.domain ?? directory.defaultDomain ?? ''}`,
        ...(person.name !== undefined && { name: person.name }),
      })),
      exceptions: exceptions.slice(0, NOTES_MAX).map((each) => ({ ...each })),
      hosts: hosts.health().map((host) => hostBody(host)),
    }
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown
    throw new ApiError(
      thrown.code,
      thrown.message,
      `Nothing of it is taken. Set it anew where it is wrong: watari directory sources add ${row.name} --url … --base …`,
    )
  } finally {
    hosts.close()
  }
}

/** Accounts without the source; who came from it alone stays as one of ours, or lets nobody in. */
function without(directory: Directory, name: string, keeps: boolean): DirectoryEdit[] {
  const edits = directory.accounts().flatMap((account): DirectoryEdit[] => {
    const { origins, bind, isGone, ...rest } = account
    if (origins?.some(({ source: each }) => each === name) !== true) return []
    const left = origins.filter(({ source: each }) => each !== name)
    const after: Account = {
      ...rest,
      ...(bind !== undefined && bind.source !== name && { bind }),
      ...(left.length > 0 || !keeps ? { origins: left } : { isOwn: true }),
      ...(left.length > 0 && isGone === true && { isGone }),
      ...(left.length === 0 &&
        !keeps &&
        account.isOwn !== true && {
          disabled: true,
          isDisabledThere: true,
        }),
    }
    return [{ kind: 'put', row: { kind: 'account', account: after } }]
  })
  return [...edits.toArray(), ...withoutGroups(directory, name, keeps)]
}

function withoutGroups(directory: Directory, name: string, keeps: boolean): DirectoryEdit[] {
  const edits = directory.aliases().flatMap((alias): DirectoryEdit[] => {
    const { origins = [], ...own } = alias
    const left = origins.filter(({ source: each }) => each !== name)
    if (left.length === origins.length) return []
    if (left.length === 0 && !keeps)
      return [{ kind: 'remove', key: rowKey({ kind: 'alias', alias }) }]
    const after = { ...own, ...(left.length > 0 && { origins: left }) }
    return [{ kind: 'put', row: { kind: 'alias', alias: after } }]
  })
  return edits.toArray()
}

function explain(deps: AdminDeps, text: string): z.infer<typeof explained> {
  const { directory } = deps.directory
  const address = addressIn(directory, text)
  const former = directory.byFormerAddress(address)
  const isFormer = former !== undefined && isKept(former.former, directory.moment)
  const account = directory.byAddress(address) ?? (isFormer ? former.account : undefined)
  if (account === undefined)
    return {
      address: formatAddress(address),
      isOwn: false,
      disabled: false,
      password: 'nobody',
      origins: [],
      rows: [],
    }
  const readings = deps.sources?.readings() ?? []
  const origins = ((account.isGone !== true && account.origins) || []).map(
    ({ source: name, key, dn }) => ({
      source: name,
      dn,
      person: readings.find((reading) => reading.source.name === name)?.people.get(key)?.person,
    }),
  )
  const isOwn = account.isOwn === true || account.origins === undefined
  const by = (said: (person: Person) => boolean): string =>
    origins.find(({ person }) => person !== undefined && said(person))?.source ?? 'here'
  const { credential, bind } = account
  const password =
    credential !== undefined
      ? `a hash (${schemeOf(credential)})`
      : bind === undefined
        ? 'nobody'
        : `a bind to ${bind.source} as ${bind.dn}`
  return {
    address: formatAddress(address),
    id: account.id,
    account: mainAddress(account),
    isOwn,
    disabled: account.disabled,
    password,
    origins: origins.map(({ source: name, dn, person }) => ({
      source: name,
      dn,
      ...(person?.name !== undefined && { name: person.name }),
      addresses: [...(person?.addresses ?? [])],
      ...(person?.disabled !== undefined && { disabled: person.disabled }),
    })),
    rows: [
      ...(account.name === undefined
        ? []
        : [{ what: 'name', value: account.name, by: by(({ name }) => name === account.name) }]),
      ...account.addresses.map((each) => ({
        what: 'address',
        value: formatAddress(each),
        by: by(({ addresses }) => addresses.includes(formatAddress(each))),
      })),
      ...(account.formerAddresses ?? []).map(({ address: each, keptUntil }) => ({
        what: 'former address',
        value: `${formatAddress(each)} (until ${keptUntil.slice(0, 10)})`,
        by: 'here',
      })),
    ],
  }
}
