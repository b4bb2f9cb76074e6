import { z } from 'zod'
import { DKIM_ALGORITHMS, DKIM_KEY_STATES } from '#model/dkim-key.ts'
import { pageQuery, pending } from './common.ts'

const keyStates = Object.keys(DKIM_KEY_STATES) as (keyof typeof DKIM_KEY_STATES)[]

/** A key as everybody may know it: its private half is in no answer. */
export const dkimKey = z.object({
  domain: z.string(),
  selector: z.string(),
  algorithm: z.enum(DKIM_ALGORITHMS),
  state: z
    .enum(keyStates as [keyof typeof DKIM_KEY_STATES, ...(keyof typeof DKIM_KEY_STATES)[]])
    .describe(
      'made: the name service does not have it yet; published: seen there; signing; retired: signs no more, and its record stays for mail on its way',
    ),
  record: z
    .object({
      name: z.string(),
      text: z.string().describe('the whole TXT record'),
      zone: z.string().describe('as a line of a zone file, in strings of 255 octets at most'),
    })
    .describe('what is to be published'),
  madeAt: z.string(),
  seenAt: z.string().optional().describe('when the name service was last seen to have it'),
  signsSince: z.string().optional(),
  retiredAt: z.string().optional(),
  toldAt: z
    .string()
    .optional()
    .describe('when the postmaster was last told to publish it (`dkim.rotateMs`)'),
  publishUntil: z.string().optional().describe('its record is needed until then'),
})
export type DkimKeyBody = z.infer<typeof dkimKey>

export const dkimQuery = pageQuery.extend({
  search: z.string().max(1_000).optional().describe('text within domain or selector'),
})

export const dkimOfDomain = z.object({ domain: z.string(), keys: z.array(dkimKey) })

export const newDkim = z.object({
  algorithm: z.enum(DKIM_ALGORITHMS).default('rsa'),
  selector: z.string().max(100).optional().describe('left out: one by the day'),
})

export const dkimActivate = z.object({
  selector: z.string().max(100).optional().describe('left out: all that wait'),
  force: z
    .boolean()
    .default(false)
    .describe('also where the name service, as we see it, does not have the record'),
})

export const dkimRetire = z.object({ selector: z.string().max(100) })

export const writtenDkim = dkimOfDomain.extend({ pending })

const found = z
  .enum(['published', 'missing', 'different', 'unusable', 'several', 'unknown'])
  .describe(
    'published: its record; missing: none; different: one of another key; unusable: a tag of it keeps others from using it (t=y, h=, s=, k=); several: more than one record; unknown: no name server answered',
  )

export const checkedDkim = z.object({
  domain: z.string(),
  keys: z.array(dkimKey.extend({ found, foundText: z.string().optional() })),
  pending,
})
export type CheckedDkimBody = z.infer<typeof checkedDkim>
