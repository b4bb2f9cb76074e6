import { messageOf } from '#base/outcome.ts'
import { diskFault } from '#store/db/fault.ts'
import { failureOf } from './messages.ts'
import type { ToChild, ToParent } from './messages.ts'
import type { PipeEnd } from './pipe.ts'

/** What a storage child offers: stores by name, each an object of async methods with one argument. */
export type Services = Readonly<Record<string, object>>

/** Carries out one call and sends its answer. */
export async function serveCall(
  call: ToChild & readonly ['call', ...unknown[]],
  services: Services,
  { pipe, told }: { readonly pipe: PipeEnd; readonly told: (thrown: unknown) => unknown },
): Promise<void> {
  const [, id, service, name, argument] = call
  const answer = (message: ToParent): void => pipe.send(message)
  try {
    const method = methodOf(services, service, name)
    answer(['answer', id, await method(argument)])
  } catch (thrown) {
    // A read of the database that failed, too, is trouble of the disk and no mistake of ours.
    const failure = failureOf(told(diskFault(thrown, service) ?? thrown))
    if (failure.code === undefined)
      process.stderr.write(
        `${service}.${name}: ${thrown instanceof Error ? thrown.stack : messageOf(thrown)}\n`,
      )
    answer(['failure', id, failure])
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
