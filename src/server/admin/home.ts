import type { z } from 'zod'
import { home, homeServers, newHome, writtenHome } from '#contract/admin/home.ts'
import type { HomeBody, HomeServersBody } from '#contract/admin/home.ts'
import type { HomeServer, HomeState } from '#engine/home/home-keeper.ts'
import type { HomePlace } from '#engine/home/ldap-home.ts'
import { serviceDn } from '#engine/home/provision-plan.ts'
import { formatSourceUrl, parseSourceUrl } from '#model/source.ts'
import type { SourceServer } from '#model/source.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import { authorOf, isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'

const NOTES_MAX = 1_000

/** Where the rows have their home: here, or on LDAP servers. Whoever sets it sets every password, so to say. */
export function homeRoutes(app: AdminServer, { home: keeper = HERE, hub }: AdminDeps): void {
  const body = (): HomeBody => homeBody(keeper.state())

  app.get(
    '/directory/home',
    { config: { permission: 'sources.read' }, schema: { response: { 200: home } } },
    async () => body(),
  )

  app.get(
    '/directory/home/servers',
    { config: { permission: 'sources.read' }, schema: { response: { 200: homeServers } } },
    async () => ({ servers: (await keeper.servers()).map(serverBody) }),
  )

  app.put(
    '/directory/home',
    {
      config: { permission: 'roles.write' },
      schema: { body: newHome, response: { 200: writtenHome } },
    },
    async (request) => {
      const { adopt } = request.body
      try {
        await keeper.move(placeOf(request.body), authorOf(request), { adopt })
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        throw new ApiError(thrown.code, thrown.message, REMEDIES[thrown.code] ?? REMEDY)
      }
      return { ...body(), pending: [] }
    },
  )

  app.delete(
    '/directory/home',
    { config: { permission: 'roles.write' }, schema: { response: { 200: writtenHome } } },
    async () => {
      await keeper.back()
      return { ...body(), pending: [...(await hub.settled())] }
    },
  )

  app.post(
    '/directory/home/accept',
    { config: { permission: 'roles.write' }, schema: { response: { 200: writtenHome } } },
    async () => {
      await keeper.accept()
      return { ...body(), pending: [...(await hub.settled())] }
    },
  )
}

/** Where nobody keeps a home. */
const HERE: NonNullable<AdminDeps['home']> = {
  state: () => ({ kind: 'embedded' }),
  servers: () => Promise.resolve([]),
  move: () => Promise.reject(new Fault('unavailable', 'rows cannot be moved here')),
  back: () => Promise.resolve(),
  accept: () => Promise.resolve(),
}

const REMEDY = 'Nothing is changed. Look at the server: watari directory provision … --check'
const REMEDIES: Readonly<Record<string, string>> = {
  conflict:
    'Nothing is changed. Remove what lies there, take it over (--adopt), or go back first: watari directory home embedded',
  notFound: 'Nothing is changed. Set the server up first: watari directory provision',
}

function placeOf(set: z.infer<typeof newHome>): HomePlace {
  const { base, ca, plain, bindDn = serviceDn(base), bindPasswordBase64 } = set
  const serverOf = (url: string) => {
    const server = parseSourceUrl(url)
    if (server === undefined)
      throw new ApiError(
        'invalid',
        `${url} is no place of a directory`,
        'Give ldaps://HOST[:PORT] or ldap://HOST[:PORT].',
      )
    return {
      ...server,
      ...(plain === true && server.tls === 'starttls' && { tls: 'none' as const }),
      ...(ca !== undefined && { ca }),
    }
  }
  return {
    provider: serverOf(set.provider),
    replicas: set.replicas.map(serverOf),
    base,
    bind: { dn: bindDn, passwordBase64: bindPasswordBase64 },
  }
}

const urlOf = ({ host, port, tls }: SourceServer): string => formatSourceUrl({ host, port, tls })

const serverBody = ({
  server,
  isProvider,
  isFollowed,
  error,
  contextCsn,
  lagMs,
}: HomeServer): HomeServersBody['servers'][number] => ({
  url: urlOf(server),
  part: isProvider ? 'provider' : 'replica',
  state: error === undefined ? 'well' : 'away',
  followed: isFollowed,
  ...(error !== undefined && { error }),
  ...(contextCsn !== undefined && { contextCsn }),
  ...(lagMs !== undefined && { lagSeconds: lagMs / SECOND_MS }),
})

function homeBody(state: HomeState): HomeBody {
  if (state.kind === 'embedded') return state
  const { place, by, atMs, notes, wroteAtMs, newsAtMs, ...rest } = state
  return {
    ...rest,
    provider: urlOf(place.provider),
    replicas: place.replicas.map(urlOf),
    base: place.base,
    bindDn: place.bind.dn,
    by: by.who,
    since: isoTime(atMs),
    ...(wroteAtMs !== undefined && { wroteAt: isoTime(wroteAtMs) }),
    ...(newsAtMs !== undefined && { newsAt: isoTime(newsAtMs) }),
    notes: notes.slice(0, NOTES_MAX).map((each) => ({ ...each })),
  }
}
