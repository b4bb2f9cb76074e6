import { z } from 'zod'
import type { Octets } from '#base/octets.ts'
import { sieveChecked, sieveTest, sieveTested, spamScore, verdict } from '#contract/admin/mail.ts'
import type { VerdictBody } from '#contract/admin/mail.ts'
import type { Verdict } from '#model/verdict.ts'
import type { AdminDeps, AdminServer, SieveBench, SieveIssue } from './context.ts'
import { ApiError } from './errors.ts'

const upload = z.custom<Octets>((value) => value instanceof Uint8Array, 'a message is needed')
const consumes = ['message/rfc822', 'application/octet-stream']

/** Trying out: judge a message, check and run a script. Nothing is stored or sent. */
export function judgeRoutes(app: AdminServer, deps: AdminDeps): void {
  app.post(
    '/scan',
    { config: { permission: 'bench' }, schema: { consumes, response: { 200: verdict } } },
    async ({ body }) => verdictBody(await judged(deps, body)),
  )

  app.post(
    '/spam/score',
    { config: { permission: 'bench' }, schema: { consumes, response: { 200: spamScore } } },
    async ({ body }) => {
      const found = await judged(deps, body)
      return { score: found.score, class: found.class }
    },
  )

  app.post(
    '/sieve/check',
    {
      config: { permission: 'bench' },
      schema: { body: z.object({ script: z.string() }), response: { 200: sieveChecked } },
    },
    async ({ body }) => ({ errors: issues(await bench(deps).check(body.script)) }),
  )

  app.post(
    '/sieve/test',
    {
      config: { permission: 'bench' },
      schema: { body: sieveTest, response: { 200: sieveTested } },
    },
    async ({ body }) => {
      const { errors, actions, unsent } = await bench(deps).test({
        script: body.script,
        message: Buffer.from(body.message, 'base64'),
        envelope: body.envelope,
      })
      return {
        errors: issues(errors),
        ...(unsent !== undefined && { unsent: [...unsent] }),
        actions: actions.map(({ flags, ...action }) => ({
          ...action,
          ...(flags !== undefined && { flags: [...flags] }),
        })),
      }
    },
  )
}

async function judged(deps: AdminDeps, body: unknown): Promise<Verdict> {
  const message = upload.safeParse(body)
  if (!message.success)
    throw new ApiError(
      'invalid',
      'the body is no message',
      'Send the message itself with Content-Type: message/rfc822.',
    )
  if (deps.scan === undefined)
    throw new ApiError('unavailable', 'no judge runs here', 'Start a gateway on this machine.')
  return deps.scan(message.data)
}

function bench(deps: AdminDeps): SieveBench {
  if (deps.sieve !== undefined) return deps.sieve
  throw new ApiError('unavailable', 'no Sieve engine runs here', 'Start a store on this machine.')
}

const issues = (found: readonly SieveIssue[]): SieveIssue[] => [...found]

function verdictBody(found: Verdict): VerdictBody {
  return {
    class: found.class,
    score: found.score,
    hits: found.hits.map((hit) => ({ ...hit })),
    virus: { ...found.virus },
    auth: found.auth.map(({ method, result, properties }) => ({
      method,
      result,
      properties: properties.map((pair) => [...pair]),
    })),
    caseId: found.caseId,
    degraded: [...found.degraded],
  }
}
