import { z } from 'zod'

export const searchStatus = z.object({
  accounts: z.number().int().describe('accounts with an index'),
  segments: z.number().int(),
  sizeBytes: z.number().int(),
  accountsBehind: z.number().int().describe('accounts of which not all is indexed yet'),
  emailsBehind: z.number().int().describe('emails that are read where somebody searches meanwhile'),
  trouble: z.string().optional().describe('why indexing does not go on'),
})
