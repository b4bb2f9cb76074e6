import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { inTurns } from './lookup.ts'

/** So many are checked and written out at once. */
const ITEMS_AT_ONCE = 100

/**
 * Writes out a long page piece by piece, as its route's schema says; a hook before the serializer,
 * which would hold up everybody else of this process for a fifth of a second.
 */
export async function longPages(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const schema = schemaOf(request, reply)
  const name = schema && NAMES.find((each) => isLong(payload, each))
  if (schema === undefined || name === undefined) return payload
  const one = schema.shape[name]
  if (!(one instanceof z.ZodArray)) return payload
  const all = (payload as Record<string, readonly unknown[]>)[name]!
  const slices: (readonly unknown[])[] = []
  for (let at = 0; at < all.length; at += ITEMS_AT_ONCE)
    slices.push(all.slice(at, at + ITEMS_AT_ONCE))
  const texts = await inTurns(slices, (slice) => JSON.stringify(one.parse(slice)).slice(1, -1))
  const { [name]: _, ...rest } = schema.parse({ ...(payload as object), [name]: [] })
  const tail = JSON.stringify(rest).slice(1)
  void reply.serializer((text: string) => text)
  return `{"${name}":[${texts.join(',')}]${tail === '}' ? '' : ','}${tail}`
}

/** What may be long: the items of a page, what became of each of many. */
const NAMES = ['items', 'rows'] as const

const isLong = (payload: unknown, name: string): boolean => {
  const all = (payload as Record<string, unknown> | null)?.[name]
  return Array.isArray(all) && all.length > ITEMS_AT_ONCE
}

function schemaOf(request: FastifyRequest, reply: FastifyReply): z.ZodObject | undefined {
  const answers = request.routeOptions.schema?.response as Record<string, unknown> | undefined
  const schema = answers?.[reply.statusCode]
  return schema instanceof z.ZodObject ? schema : undefined
}
