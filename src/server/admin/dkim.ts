import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ok } from '#base/outcome.ts'
import { page } from '#contract/admin/common.ts'
import {
  checkedDkim,
  dkimActivate,
  dkimKey,
  dkimOfDomain,
  dkimQuery,
  dkimRetire,
  newDkim,
  writtenDkim,
} from '#contract/admin/dkim.ts'
import type { DkimKeyBody } from '#contract/admin/dkim.ts'
import {
  activated,
  algorithmsToRotate,
  freeSelector,
  newDkimKey,
  publicationOf,
  publishedUntil,
  retired,
  seen,
  waitingKeys,
  withKey,
} from '#engine/sender/dkim-keys.ts'
import type { KeysChange, Publication } from '#engine/sender/dkim-keys.ts'
import { keyRecordOf, recordName } from '#engine/sender/key-record-of.ts'
import type { LocalDomain } from '#model/account.ts'
import { domainKey } from '#model/address.ts'
import type { DkimAlgorithm, DkimKey } from '#model/dkim-key.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { writeDirectory } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { holding, lower, pageOf } from './lookup.ts'

const named = z.object({ domain: z.string() })

/** Keys that mail of our domains is signed by: made, published, in use, retired. */
export function dkimRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const keysOf = (name: string): readonly DkimKey[] => domainOf(deps, name).dkim ?? []
  const bodyOf = (name: string) => ({
    domain: name,
    keys: keysOf(name).map((key) => keyBody(name, key)),
  })
  const now = () => publishedUntil(deps.clock.nowMs(), deps.settings.settings['queue.lifetimeMs'])
  const write = (
    request: FastifyRequest,
    name: string,
    make: (keys: readonly DkimKey[]) => KeysChange,
  ) => {
    const key = `domain:${domainKey(name)}`
    const target = { key, name: `the keys of ${name}`, version: () => undefined }
    return writeDirectory(deps, request, target, (before) => {
      const row = before.domain(name)
      if (row === undefined) throw noDomain(name)
      const keys = make(row.dkim ?? [])
      if (!keys.ok) return keys
      const { dkim: _, ...rest } = row
      const domain = keys.value.length === 0 ? rest : { ...rest, dkim: keys.value }
      return ok([{ kind: 'put', row: { kind: 'domain', domain } }])
    })
  }
  /** What the name service has of each of these. */
  const lookUp = (name: string, keys: readonly DkimKey[]) =>
    Promise.all(
      keys.map(async (key) => {
        const texts = await deps.texts(recordName(name, key.selector))
        return { key, found: publicationOf(key, texts), texts }
      }),
    )

  app.get(
    '/dkim',
    {
      config: { permission: 'people.read' },
      schema: { querystring: dkimQuery, response: { 200: page(dkimKey) } },
    },
    async ({ query }) => {
      const keys = directory
        .domains()
        .flatMap(({ name, dkim = [] }) => dkim.map((key) => keyBody(name, key)))
      const keyOf = ({ domain, selector }: DkimKeyBody): string => `${domain} ${selector}`
      const holds = holding(query.search, (key: DkimKeyBody) => [key.domain, key.selector])
      return pageOf(keys, { keyOf, bodyOf: (key) => key, holds }, query)
    },
  )

  app.get(
    '/dkim/:domain',
    {
      config: { permission: 'people.read' },
      schema: { params: named, response: { 200: dkimOfDomain } },
    },
    async ({ params }) => bodyOf(domainOf(deps, params.domain).name),
  )

  app.post(
    '/dkim/:domain',
    {
      config: { permission: 'routing.write' },
      schema: { params: named, body: newDkim, response: { 201: writtenDkim } },
    },
    async (request, reply) => {
      const { name } = domainOf(deps, request.params.domain)
      const { algorithm, selector } = request.body
      const pending = await add(request, name, [
        { algorithm, ...(selector !== undefined && { selector: lower(selector) }) },
      ])
      return reply.code(201).send({ ...bodyOf(name), pending })
    },
  )

  /** Made before the row is looked at: a pair takes its time. */
  const add = async (
    request: FastifyRequest,
    name: string,
    wanted: readonly { readonly algorithm: DkimAlgorithm; readonly selector?: string }[],
  ) => {
    const { at } = now()
    const made = await Promise.all(
      wanted.map(async ({ algorithm, selector }) => ({
        key: await newDkimKey(algorithm, { selector: selector ?? '', at }),
        isNamed: selector !== undefined,
      })),
    )
    return write(request, name, (keys) =>
      made.reduce<KeysChange>((all, { key, isNamed }) => {
        if (!all.ok) return all
        // Named when it is written: somebody else may have made one meanwhile.
        const selector = isNamed ? key.selector : freeSelector(all.value, key.algorithm, at)
        return withKey(all.value, { ...key, selector })
      }, ok(keys)),
    )
  }

  app.post(
    '/dkim/:domain/check',
    {
      config: { permission: 'routing.write' },
      schema: { params: named, response: { 200: checkedDkim } },
    },
    async (request) => {
      const { name } = domainOf(deps, request.params.domain)
      const looked = await lookUp(name, keysOf(name))
      const there = looked.filter(({ found }) => found === 'published')
      const selectors = there.map(({ key }) => key.selector)
      const pending =
        there.length === 0
          ? []
          : await write(request, name, (keys) => ok(seen(keys, selectors, now().at)))
      const keys = keysOf(name).flatMap((key) => {
        const about = looked.find((each) => each.key.selector === key.selector)
        if (about === undefined) return []
        const foundText = about.texts?.join(' | ').slice(0, TEXT_LENGTH_MAX)
        return [
          {
            ...keyBody(name, key),
            found: about.found,
            ...(foundText !== undefined && foundText !== '' && { foundText }),
          },
        ]
      })
      return { domain: name, keys, pending }
    },
  )

  const activate = async (
    request: FastifyRequest,
    name: string,
    ask: { readonly selector?: string | undefined; readonly force: boolean },
  ) => {
    const waiting = waitingKeys(keysOf(name))
    const chosen =
      ask.selector === undefined
        ? waiting
        : keysOf(name).filter(({ selector }) => selector === ask.selector)
    if (chosen.length === 0)
      throw new ApiError(
        'notFound',
        ask.selector === undefined
          ? `no key of ${name} waits to sign`
          : `${name} has no key ${ask.selector}`,
        `watari dkim create ${name} makes one; watari dkim show ${name} shows what there is.`,
      )
    const looked = await lookUp(name, chosen)
    const unseen = looked.find(({ found }) => found !== 'published')
    if (unseen !== undefined && !ask.force) throw unpublished(name, unseen.key, unseen.found)
    const there = looked.flatMap(({ key, found }) => (found === 'published' ? [key.selector] : []))
    const { at, until } = now()
    return write(request, name, (keys) =>
      activated(
        seen(keys, there, at),
        chosen.map(({ selector }) => selector),
        { at, until },
      ),
    )
  }

  app.post(
    '/dkim/:domain/activate',
    {
      config: { permission: 'routing.write' },
      schema: { params: named, body: dkimActivate, response: { 200: writtenDkim } },
    },
    async (request) => {
      const { name } = domainOf(deps, request.params.domain)
      const pending = await activate(request, name, request.body)
      return { ...bodyOf(name), pending }
    },
  )

  app.post(
    '/dkim/:domain/rotate',
    {
      config: { permission: 'routing.write' },
      schema: { params: named, response: { 200: writtenDkim } },
    },
    async (request) => {
      const { name } = domainOf(deps, request.params.domain)
      const keys = keysOf(name)
      const algorithms = algorithmsToRotate(keys)
      if (algorithms.length === 0)
        throw new ApiError(
          'conflict',
          `no key of ${name} signs yet`,
          `Make the first one: watari dkim create ${name}`,
        )
      const pending =
        waitingKeys(keys).length > 0
          ? await activate(request, name, { force: false })
          : await add(
              request,
              name,
              algorithms.map((algorithm) => ({ algorithm })),
            )
      return { ...bodyOf(name), pending }
    },
  )

  app.post(
    '/dkim/:domain/retire',
    {
      config: { permission: 'routing.write' },
      schema: { params: named, body: dkimRetire, response: { 200: writtenDkim } },
    },
    async (request) => {
      const { name } = domainOf(deps, request.params.domain)
      const pending = await write(request, name, (keys) =>
        retired(keys, request.body.selector, now()),
      )
      return { ...bodyOf(name), pending }
    },
  )
}

/** Of what stands in the name service, in an answer. */
const TEXT_LENGTH_MAX = 2_000

const noDomain = (name: string): ApiError =>
  new ApiError('notFound', `there is no domain ${name}`, 'watari domain ls shows what there is.')

function domainOf(deps: AdminDeps, text: string): LocalDomain {
  const row = deps.directory.directory.domain(lower(text))
  if (row === undefined) throw noDomain(text)
  return row
}

const WHY: Readonly<Record<Exclude<Publication, 'published'>, string>> = {
  missing: 'there is no such record yet',
  different: 'the record there is of another key',
  unusable: 'a tag of the record there keeps others from using it (t=y, h=, s= or k=)',
  several: 'there is more than one record',
  unknown: 'no name server answered',
}

const unpublished = (domain: string, key: DkimKey, found: Publication): ApiError =>
  new ApiError(
    found === 'unknown' ? 'unavailable' : 'conflict',
    `${recordName(domain, key.selector)}: ${found === 'published' ? '' : WHY[found]}`,
    `Publish what watari dkim show ${domain} prints, and try again. What others see and we do not: --force.`,
  )

function keyBody(domain: string, key: DkimKey): DkimKeyBody {
  const { privateKey: _private, publicKey: _public, ...told } = key
  return { domain, ...told, record: keyRecordOf(domain, key) }
}
