import { z } from 'zod'
import { isFault, ok } from '#base/outcome.ts'
import { done } from '#contract/admin/common.ts'
import {
  newSource,
  removeSource,
  source,
  sourceTrial,
  sources,
  testSource,
  writtenSource,
} from '#contract/admin/sources.ts'
import type { SourceBody } from '#contract/admin/sources.ts'
import { PRESETS } from '#engine/people/attribute-map.ts'
import { hostsOf, readSource } from '#engine/people/read-source.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { needNoBoundRole } from './permission.ts'
import { hostBody, NOTES_MAX, sourceBody } from './source-body.ts'
import { without } from './source-removal.ts'
import { rowOf } from './source-row.ts'

const named = z.object({ name: z.string() })
const SAMPLE = 10

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
      await deps.filters?.ask(row.name, { accept })
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
