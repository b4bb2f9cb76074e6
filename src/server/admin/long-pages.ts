import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { inTurns } from './lookup.ts'

/** So many are checked and written out at once: some milliseconds. */
const ITEMS_AT_ONCE = 250

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
  if (schema === undefined || !isLong(payload)) return payload
  const slices: (readonly unknown[])[] = []
  for (let at = 0; at < payload.items.length; at += ITEMS_AT_ONCE)
    slices.push(payload.items.slice(at, at + ITEMS_AT_ONCE))
  const one = schema.shape['items'] as z.ZodType
  const texts = await inTurns(slices, 1, (slice) => JSON.stringify(one.parse(slice)).slice(1, -1))
  const { items: _, ...rest } = schema.parse({ ...payload, items: [] })
  const tail = JSON.stringify(rest).slice(1)
  void reply.serializer((text: string) => text)
  return `{"items":[${texts.join(',')}]${tail === '}' ? '' : ','}${tail}`
}

const isLong = (payload: unknown): payload is { readonly items: readonly unknown[] } => {
  const items = (payload as { readonly items?: unknown } | null)?.items
  return Array.isArray(items) && items.length > ITEMS_AT_ONCE
}

/** The schema of the answer, where it is a page. */
function schemaOf(request: FastifyRequest, reply: FastifyReply): z.ZodObject | undefined {
  const answers = request.routeOptions.schema?.response as Record<string, unknown> | undefined
  const schema = answers?.[reply.statusCode]
  return schema instanceof z.ZodObject && schema.shape['items'] instanceof z.ZodArray
    ? schema
    : undefined
}
