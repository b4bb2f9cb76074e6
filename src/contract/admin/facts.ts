import { z } from 'zod'

const text = z.string().max(1_000)
const names = z.array(text).max(100)
const day = z.string().max(20)

/** What people are found, gathered and known by. */
export const facts = z.object({
  reading: text.optional().describe('how the name is said: やまだ はなこ'),
  formerNames: names.optional().describe('names borne before, to be found by'),
  tags: names.optional().describe('cohort, faculty, office: 2027入学, 法学部'),
  externalId: text.optional().describe('what another system calls somebody; of one person alone'),
  startsOn: day.optional().describe('the first day of use: 2027-04-01'),
  expiresOn: day.optional().describe('the last day of use: 2031-03-31'),
})

/** Absent: stays; null or empty: taken away. */
export const factsChange = z.object({
  reading: text.nullable().optional(),
  formerNames: names.optional(),
  tags: names.optional(),
  externalId: text.nullable().optional(),
  startsOn: day.nullable().optional(),
  expiresOn: day.nullable().optional(),
})
