import type { Caller } from './caller.ts'

/**
 * A store that lives in the storage child. It has only async methods of at most one argument; argument
 * and answer are plain values, typed arrays and bigints. Each method may also throw Fault `stalled`
 * (no answer in time) and `closed` (the child ended, and nobody knows what became of the call).
 */
export function proxyOf(caller: Caller, service: string): object {
  const methods = new Map<string, (argument?: unknown) => Promise<unknown>>()
  return new Proxy(
    {},
    {
      get(_target, name) {
        // A promise that resolves with the proxy asks for `then`.
        if (typeof name !== 'string' || name === 'then') return undefined
        let method = methods.get(name)
        if (method === undefined) {
          method = (argument) => caller.call(service, name, argument)
          methods.set(name, method)
        }
        return method
      },
    },
  )
}
