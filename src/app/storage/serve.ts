import { messageOf } from '#base/outcome.ts'
import { diskFault } from '#store/db/fault.ts'
import { sendAnswer } from './long-call.ts'
import type { LongMessages } from './long-call.ts'
import { failureOf } from './messages.ts'
import type { ToChild, ToParent } from './messages.ts'
import type { PipeEnd } from './pipe.ts'

/** What a storage child offers: stores by name, each an object of async methods with one argument. */
export type Services = Readonly<Record<string, object>>

export interface Server {
  readonly pipe: PipeEnd
  readonly told: (thrown: unknown) => unknown
  /** Of this pipe: what came of calls that are not whole yet. */
  readonly long: LongMessages
}

/** Carries out one call, once it is whole, and sends its answer. */
export async function serveCall(
  message: Exclude<ToChild, readonly ['close']>,
  services: Services,
  { pipe, told, long }: Server,
): Promise<void> {
  if (message[0] === 'part') return long.add(message[1], message[2])
  const [, id, service, name, argument] = message
  try {
    const method = methodOf(services, service, name)
    const value = await method(long.whole(id, argument, 'commits'))
    await sendAnswer(pipe, ['answer', id, value])
  } catch (thrown) {
    // A read of the database that failed, too, is trouble of the disk and no mistake of ours.
    const failure = failureOf(told(diskFault(thrown, service) ?? thrown))
    if (failure.code === undefined)
      process.stderr.write(
        `${service}.${name}: ${thrown instanceof Error ? thrown.stack : messageOf(thrown)}\n`,
      )
    pipe.send(['failure', id, failure] satisfies ToParent)
  }
}

function methodOf(
  services: Services,
  service: string,
  name: string,
): (argument: unknown) => Promise<unknown> {
  const store = Object.hasOwn(services, service) ? services[service] : undefined
  const method = store && (store as Record<string, unknown>)[name]
  if (typeof method !== 'function' || name === 'constructor' || name === 'close')
    throw new TypeError(`no method ${service}.${name}`)
  return (method as (argument: unknown) => Promise<unknown>).bind(store)
}
