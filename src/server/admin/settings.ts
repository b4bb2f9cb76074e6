import { z } from 'zod'
import { done, page } from '#contract/admin/common.ts'
import {
  diff,
  diffQuery,
  draft,
  generation,
  generationDetail,
  historyQuery,
  rollback,
  setting,
  settingEdits,
  settingPut,
  settingsPage,
  writtenGeneration,
} from '#contract/admin/settings.ts'
import type { GenerationBody, SettingBody, SettingChangeBody } from '#contract/admin/settings.ts'
import type { GenerationHead, SettingChange } from '#store/settings/generations.ts'
import { actionsOf } from '#store/settings/option.ts'
import { optionOf, SETTING_KEYS } from '#store/settings/table.ts'
import type { SettingKey } from '#store/settings/table.ts'
import { readKey } from '#store/settings/validate.ts'
import type { SettingValue } from '#store/settings/validate.ts'
import { authorOf, baseOf, isoTime, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { numberAfter } from './lookup.ts'

const keyParam = z.object({ key: z.string() })
const numberParam = z.object({ generation: z.coerce.number().int().min(0) })

export function settingsRoutes(app: AdminServer, deps: AdminDeps): void {
  const etag = (): string => `"${deps.settings.latest.generation}"`

  app.get(
    '/settings',
    { config: { permission: 'settings.read' }, schema: { response: { 200: settingsPage } } },
    async (_, reply) => {
      void reply.header('etag', etag())
      return {
        items: SETTING_KEYS.map((key) => settingBody(deps, key)),
        generation: deps.settings.latest.generation,
      }
    },
  )

  app.get(
    '/settings/:key',
    {
      config: { permission: 'settings.read' },
      schema: { params: keyParam, response: { 200: setting } },
    },
    async ({ params }, reply) => {
      void reply.header('etag', etag())
      return settingBody(deps, taken(readKey(params.key)))
    },
  )

  app.put(
    '/settings/:key',
    {
      config: { permission: 'settings.write' },
      schema: { params: keyParam, body: settingPut, response: { 200: writtenGeneration } },
    },
    async (request) => {
      const edits = { [request.params.key]: request.body.value }
      const write = { by: authorOf(request), ...baseOf(request) }
      return written(deps, taken(await deps.settings.set(edits, write)))
    },
  )

  app.patch(
    '/settings',
    {
      config: { permission: 'settings.write' },
      schema: { body: settingEdits, response: { 200: writtenGeneration } },
    },
    async (request) => {
      const write = { by: authorOf(request), ...baseOf(request) }
      return written(deps, taken(await deps.settings.set(request.body.values, write)))
    },
  )

  app.post(
    '/settings/rollback',
    {
      config: { permission: 'settings.write' },
      schema: { body: rollback, response: { 200: writtenGeneration } },
    },
    async (request) => {
      const write = { by: authorOf(request), ...baseOf(request) }
      return written(deps, taken(await deps.settings.rollback(request.body.generation, write)))
    },
  )

  draftRoutes(app, deps)
  historyRoutes(app, deps)
}

/** What is staged: edited in steps, looked at, applied whole. */
function draftRoutes(app: AdminServer, deps: AdminDeps): void {
  const body = async () => {
    const staged = deps.settings.draft
    if (staged === undefined)
      throw new ApiError(
        'notFound',
        'nothing is staged',
        'watari settings edit KEY=VALUE stages a change.',
      )
    const changes = taken(await deps.settings.diff(staged.base, 'draft'))
    return {
      base: staged.base,
      who: staged.by.who,
      at: isoTime(staged.atMs),
      changes: changes.map(changeBody),
    }
  }

  app.get(
    '/settings/draft',
    { config: { permission: 'settings.read' }, schema: { response: { 200: draft } } },
    body,
  )

  app.patch(
    '/settings/draft',
    {
      config: { permission: 'settings.write' },
      schema: { body: settingEdits, response: { 200: draft } },
    },
    async (request) => {
      const write = { by: authorOf(request), ...baseOf(request) }
      taken(await deps.settings.stage(request.body.values, write))
      return body()
    },
  )

  app.delete(
    '/settings/draft',
    { config: { permission: 'settings.write' }, schema: { response: { 200: done } } },
    async () => {
      await deps.settings.discard()
      return { pending: [] }
    },
  )

  app.post(
    '/settings/apply',
    { config: { permission: 'settings.write' }, schema: { response: { 200: writtenGeneration } } },
    async (request) => {
      const write = { by: authorOf(request), ...baseOf(request) }
      return written(deps, taken(await deps.settings.apply(write)))
    },
  )

  app.get(
    '/settings/diff',
    {
      config: { permission: 'settings.read' },
      schema: { querystring: diffQuery, response: { 200: diff } },
    },
    async ({ query }) => {
      const from = query.from ?? deps.settings.latest.generation
      const changes = taken(await deps.settings.diff(from, query.to ?? 'draft'))
      return { items: changes.map(changeBody) }
    },
  )
}

function historyRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/settings/history',
    {
      config: { permission: 'settings.read' },
      schema: { querystring: historyQuery, response: { 200: page(generation) } },
    },
    async ({ query }) => {
      const before = numberAfter(query.after)
      const { items } = await deps.settingsStore.history({
        limit: query.limit,
        ...(before !== undefined && { before }),
      })
      return {
        items: items.map(generationBody),
        ...(items.length === query.limit && { next: String(items.at(-1)!.generation) }),
      }
    },
  )

  app.get(
    '/settings/history/:generation',
    {
      config: { permission: 'settings.read' },
      schema: { params: numberParam, response: { 200: generationDetail } },
    },
    async ({ params }) => {
      const found = await deps.settingsStore.generation({ number: params.generation })
      if (found.generation === undefined)
        throw new ApiError(
          'notFound',
          `there is no generation ${params.generation}`,
          'watari settings history lists them.',
        )
      const { values, tables } = found.generation
      return {
        ...generationBody(found.generation),
        values: Object.fromEntries(
          Object.entries(values).map(([key, value]) => [key, plain(value)]),
        ),
        tables: { ...tables },
      }
    },
  )
}

function settingBody(deps: AdminDeps, key: SettingKey): SettingBody {
  const option = optionOf(key)
  const { values, tables } = deps.settings.latest
  const inForce =
    option.type === 'networks'
      ? (deps.settings.settings[key] as { readonly rows: number }).rows
      : (values[key] ?? option.default)
  return {
    key,
    type: option.type,
    value: plain(inForce),
    default: option.type === 'networks' ? option.default.length : plain(option.default),
    isDefault: !(key in values) && !(key in tables),
    doc: { ...option.doc },
    ...('min' in option && { min: option.min, max: option.max }),
    ...(option.type === 'action' && { oneOf: [...actionsOf(option)] }),
    ...(option.type === 'choice' && { oneOf: [...option.oneOf] }),
  }
}

const plain = (value: SettingValue): SettingBody['value'] =>
  typeof value === 'object' ? [...value] : value

function changeBody(change: SettingChange): SettingChangeBody {
  if ('added' in change)
    return { ...change, added: [...change.added], removed: [...change.removed] }
  const side = (value: SettingValue | null) => (value === null ? null : plain(value))
  return { key: change.key, before: side(change.before), after: side(change.after) }
}

const generationBody = (head: GenerationHead): GenerationBody => ({
  generation: head.generation,
  hash: head.hash,
  at: isoTime(head.atMs),
  who: head.by.who,
  from: head.by.from,
  note: head.note,
  changes: head.changes.map(changeBody),
})

async function written(deps: AdminDeps, head: GenerationHead) {
  return { ...generationBody(head), pending: [...(await deps.hub.settled())] }
}
