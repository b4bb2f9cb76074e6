import { NO_RULE } from '#model/quota.ts'
import type { QuotaRule, Usage } from '#model/quota.ts'
import { picked, propertiesOf } from '#server/jmap/method/args.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { CHANGES_ARGS, changesAsk } from '#server/jmap/method/changes.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { invalidArguments } from '#server/jmap/method/method-error.ts'
import {
  QUERY_ARGS,
  QUERY_CHANGES_ARGS,
  queryChanges,
  readFilter,
  readSort,
  readWindow,
  sinceQueryState,
} from '#server/jmap/method/query-frame.ts'
import type { Compare, Test } from '#server/jmap/method/query-frame.ts'
import { QUOTA } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { cannotCalculate } from '#server/jmap/method/states.ts'

/** The two limits, each with its use: all that can be told of them, so it is the state itself. */
export interface Held {
  readonly limits: QuotaRule
  readonly used: Usage
}

export async function loadQuota(call: Call): Promise<Held> {
  const { quotaOf, store } = call.room
  const accountId = call.account.id
  return { limits: quotaOf?.(accountId) ?? NO_RULE, used: await store.usage({ accountId }) }
}

export const quotaState = ({ limits, used }: Held): string =>
  [limits.bytes, used.bytes, limits.messages, used.messages, limits.warnPercent]
    .map((value) => value.toString(36))
    .join('-')

function readState(state: string): Held {
  const values = /^[0-9a-z]{1,11}(-[0-9a-z]{1,11}){4}$/.test(state)
    ? state.split('-').map((digits) => Number.parseInt(digits, 36))
    : []
  const [limitBytes, bytes, limitMessages, messages, warnPercent] = values
  if (
    limitBytes === undefined ||
    bytes === undefined ||
    limitMessages === undefined ||
    messages === undefined ||
    warnPercent === undefined ||
    !values.every(Number.isSafeInteger)
  )
    throw cannotCalculate()
  const limits = { bytes: limitBytes, messages: limitMessages, warnPercent }
  return { limits, used: { bytes, messages } }
}

/** RFC 9425 §4.2. */
interface QuotaObject {
  readonly id: string
  readonly resourceType: 'octets' | 'count'
  readonly used: number
  readonly hardLimit: number
  readonly warnLimit: number
  readonly name: string
}

const PROPERTIES: readonly string[] =
  'id resourceType used hardLimit scope name types warnLimit softLimit description'.split(' ')

/** A limit that is none is no object. */
const objectsOf = ({ limits, used }: Held): QuotaObject[] =>
  (['bytes', 'messages'] as const).flatMap((kind) =>
    limits[kind] === 0
      ? []
      : [
          {
            id: kind,
            resourceType: kind === 'bytes' ? ('octets' as const) : ('count' as const),
            used: used[kind],
            hardLimit: limits[kind],
            warnLimit: Math.ceil((limits[kind] * limits.warnPercent) / 100),
            name: kind === 'bytes' ? 'Mail storage' : 'Messages',
          },
        ],
  )

const shown = (object: QuotaObject): Answer => ({
  ...object,
  scope: 'account',
  types: ['Email'],
  softLimit: null,
  description: null,
})

/** RFC 9425 §4.3. */
export const quotaGet: Method = {
  name: 'Quota/get',
  capability: QUOTA,
  args: ['ids', 'properties'],
  async run(call, args) {
    const properties = propertiesOf(args, PROPERTIES)
    const ids = idsToGet(call, args)
    const held = await loadQuota(call)
    const all = objectsOf(held)
    const found = ids === undefined ? all : all.filter(({ id }) => ids.includes(id))
    return {
      state: quotaState(held),
      list: found.map((object) => picked(shown(object), properties)),
      notFound: (ids ?? []).filter((id) => !found.some((object) => object.id === id)),
    }
  },
}

interface Changed {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  readonly destroyed: readonly string[]
  /** Of what was updated only `used` has changed. */
  readonly isUse: boolean
}

const isSameLimit = (a: QuotaObject, b: QuotaObject): boolean =>
  a.hardLimit === b.hardLimit && a.warnLimit === b.warnLimit

function changedSince(before: Held, now: Held): Changed {
  const old = new Map(objectsOf(before).map((object) => [object.id, object]))
  const there = objectsOf(now)
  const updated = there.filter((object) => {
    const was = old.get(object.id)
    return was !== undefined && (was.used !== object.used || !isSameLimit(was, object))
  })
  return {
    created: there.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    updated: updated.map(({ id }) => id),
    destroyed: [...old.keys()].filter((id) => !there.some((object) => object.id === id)),
    isUse: updated.every((object) => isSameLimit(old.get(object.id)!, object)),
  }
}

/** RFC 9425 §4.4. */
export const quotaChanges: Method = {
  name: 'Quota/changes',
  capability: QUOTA,
  args: CHANGES_ARGS,
  async run(call, args) {
    const { since, limit } = changesAsk(args)
    const now = await loadQuota(call)
    const { isUse, ...changed } = changedSince(readState(since), now)
    const { created, updated, destroyed } = changed
    // There are two at most, and a state between them is none.
    if (created.length + updated.length + destroyed.length > limit) throw cannotCalculate()
    return {
      oldState: since,
      newState: quotaState(now),
      hasMoreChanges: false,
      ...changed,
      updatedProperties: updated.length > 0 && isUse ? ['used'] : null,
    }
  },
}

/** RFC 9425 §4.5. */
export const quotaQuery: Method = {
  name: 'Quota/query',
  capability: QUOTA,
  args: QUERY_ARGS,
  async run(call, args) {
    const held = await loadQuota(call)
    return {
      queryState: quotaState(held),
      canCalculateChanges: true,
      ...readWindow(args, results(args, held)),
    }
  },
}

/** RFC 9425 §4.6. */
export const quotaQueryChanges: Method = {
  name: 'Quota/queryChanges',
  capability: QUOTA,
  args: QUERY_CHANGES_ARGS,
  async run(call, args) {
    const since = sinceQueryState(args)
    const now = await loadQuota(call)
    const { created, updated, destroyed } = changedSince(readState(since), now)
    const touched = new Map([
      ...created.map((id) => [id, { wasThere: false }] as [string, { wasThere: boolean }]),
      ...[...updated, ...destroyed].map(
        (id) => [id, { wasThere: true }] as [string, { wasThere: boolean }],
      ),
    ])
    const all = results(args, now)
    return queryChanges(args, { oldState: since, newState: quotaState(now), touched, all })
  },
}

function results(args: Args, held: Held): string[] {
  const test = readFilter(args.value('filter'), condition)
  const compare = readSort(args.list('sort') ?? [], COMPARES)
  return objectsOf(held)
    .filter(test)
    .toSorted(compare)
    .map(({ id }) => id)
}

/** RFC 9425 §4.5.1: `name` holds a text, the others are a value. */
function condition(name: string, value: unknown): Test<QuotaObject> | undefined {
  if (!['name', 'scope', 'resourceType', 'type'].includes(name)) return undefined
  if (typeof value !== 'string') throw invalidArguments(`${name} is a String`)
  switch (name) {
    case 'name':
      return (object) => object.name.toLowerCase().includes(value.toLowerCase())
    case 'scope':
      return () => value === 'account'
    case 'resourceType':
      return (object) => object.resourceType === value
    default:
      return () => value === 'Email'
  }
}

const COMPARES: Readonly<Record<string, Compare<QuotaObject>>> = {
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  used: (a, b) => a.used - b.used,
}
