import { messageOf } from '#base/outcome.ts'
import type { Account } from '#model/account.ts'
import { Args, isObject } from '#server/jmap/method/args.ts'
import { referenced } from '#server/jmap/method/back-reference.ts'
import { errorOfThrown, MethodError } from '#server/jmap/method/method-error.ts'
import { METHODS } from './methods.ts'
import { RequestError } from '#server/jmap/http/problem.ts'
import { accountOf, SHARED_CAPABILITIES } from './account-of.ts'
import {
  BLOB,
  CORE,
  MAIL,
  QUOTA,
  RETENTION,
  SIEVE,
  SIEVE_TRIAL,
  SUBMISSION,
  VACATION,
  WEBSOCKET,
} from './room.ts'
import type { Call, Method } from './room.ts'

type Invocation = readonly [name: string, args: Readonly<Record<string, unknown>>, callId: string]

interface Request {
  readonly using: readonly string[]
  readonly calls: readonly Invocation[]
  readonly createdIds: Readonly<Record<string, unknown>> | undefined
}

const CAPABILITIES: readonly string[] = [
  CORE,
  MAIL,
  BLOB,
  SUBMISSION,
  RETENTION,
  QUOTA,
  VACATION,
  SIEVE,
  SIEVE_TRIAL,
  WEBSOCKET,
]

/** Runs the calls of one request one after another (RFC 8620 §3.3 to §3.6). Throws RequestError. */
export async function runRequest(
  call: Omit<Call, 'account' | 'createdIds' | 'following' | 'using'>,
  body: unknown,
): Promise<{
  readonly methodResponses: readonly Invocation[]
  readonly createdIds?: Readonly<Record<string, string>>
}> {
  const request = readRequest(body, call.room.limits.maxCallsInRequest)
  const createdIds = new Map(
    Object.entries(request.createdIds ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
  const responses: Invocation[] = []
  for (const [name, args, callId] of request.calls) {
    const waiting: Asked[] = [{ name, args, using: request.using }]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (call.signal.aborted) break
      const following: Call['following'] = []
      const each = { ...call, account: call.login, createdIds, following, using: next.using }
      const answer = await runCall(each, next, responses)
      responses.push([answer.name, answer.args, callId])
      // What a call brings about by itself asks for no capability.
      waiting.push(...following.map((each) => ({ ...each, using: CAPABILITIES })))
    }
  }
  return {
    methodResponses: responses,
    ...(request.createdIds === undefined ? {} : { createdIds: Object.fromEntries(createdIds) }),
  }
}

interface Asked {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly using: readonly string[]
}

async function runCall(
  call: Call,
  { name, args, using }: Asked,
  responses: readonly Invocation[],
): Promise<{ readonly name: string; readonly args: Readonly<Record<string, unknown>> }> {
  try {
    const method = METHODS.get(name)
    if (method === undefined || !using.includes(method.capability))
      throw new MethodError('unknownMethod')
    const values = referenced(args, responses)
    if (name === 'Core/echo') return { name, args: values }
    const { withoutAccount = false } = method
    const strange = Object.keys(values).find(
      (key) => (key !== 'accountId' || withoutAccount) && !method.args.includes(key),
    )
    if (strange !== undefined)
      throw new MethodError('invalidArguments', `no argument is called ${strange.slice(0, 100)}`)
    const read = new Args(values, call.createdIds)
    if (withoutAccount) return { name, args: await method.run(call, read) }
    const accountId = read.id('accountId')
    if (accountId === undefined) throw new MethodError('invalidArguments', 'accountId is missing')
    const account = await accountFor(call, accountId, method)
    const answer = await method.run({ ...call, account }, read)
    return { name, args: { accountId, ...answer } }
  } catch (thrown) {
    const error = errorOfThrown(thrown)
    if (error === undefined || error.type === 'serverUnavailable')
      call.room.log.warn('jmap.failed', { method: name.slice(0, 60), cause: messageOf(thrown) })
    const { type, more } = error ?? new MethodError('serverFail')
    return { name: 'error', args: { type, ...more } }
  }
}

/** The account that is asked, where the method is one of it (RFC 8620 §3.6.2). */
async function accountFor(call: Call, id: string, method: Method): Promise<Account> {
  const found = await accountOf(call, id)
  if (found === undefined) throw new MethodError('accountNotFound')
  if (found.share !== undefined && !SHARED_CAPABILITIES.includes(method.capability))
    throw new MethodError('accountNotSupportedByMethod')
  if (found.share?.isReadOnly === true && method.writes === true && method.readersToo !== true)
    throw new MethodError('accountReadOnly')
  return found.account
}

function readRequest(body: unknown, callsMax: number): Request {
  if (!isObject(body)) throw new RequestError('notRequest', 'The request is no object')
  const { using, methodCalls, createdIds } = body
  const notRequest = (detail: string): RequestError => new RequestError('notRequest', detail)
  if (!Array.isArray(using) || !using.every((name) => typeof name === 'string'))
    throw notRequest('using is not a list of capabilities')
  if (!Array.isArray(methodCalls)) throw notRequest('methodCalls is not a list')
  if (createdIds !== undefined && createdIds !== null && !isObject(createdIds))
    throw notRequest('createdIds is not an object')
  const unknown = using.find((name) => !CAPABILITIES.includes(name))
  if (unknown !== undefined)
    throw new RequestError('unknownCapability', `There is no ${unknown.slice(0, 100)} here`)
  if (methodCalls.length > callsMax)
    throw new RequestError('limit', `At most ${callsMax} calls a request`, 'maxCallsInRequest')
  const calls = (methodCalls as unknown[]).map((each): Invocation => {
    if (!Array.isArray(each) || each.length !== 3) throw notRequest('a call has three parts')
    const [name, args, callId] = each as unknown[]
    if (typeof name !== 'string' || !isObject(args) || typeof callId !== 'string')
      throw notRequest('a call is a name, arguments and an id')
    return [name, args, callId]
  })
  return { using, calls, createdIds: createdIds ?? undefined }
}
