import { useSyncExternalStore } from 'react'

/** Where the page is: everything that it shows can be told from this, and sent to a colleague. */
export interface Address {
  readonly path: string
  readonly query: URLSearchParams
}

const CHANGED = 'watari:address'

const subscribe = (listener: () => void): (() => void) => {
  addEventListener('popstate', listener)
  addEventListener(CHANGED, listener)
  return () => {
    removeEventListener('popstate', listener)
    removeEventListener(CHANGED, listener)
  }
}

const snapshot = (): string => `${location.pathname}${location.search}`

/** The address as it is, and again whenever it changes. */
export function useAddress(): Address {
  const [path = '/', search = ''] = useSyncExternalStore(subscribe, snapshot).split('?', 2)
  return { path, query: new URLSearchParams(search) }
}

/** The parts of a path, decoded; what cannot be decoded stays as it is. */
export const segmentsOf = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map((each) => {
      try {
        return decodeURIComponent(each)
      } catch {
        return each
      }
    })

/** Goes to an address of this application; Back comes back. */
export function go(to: string): void {
  history.pushState(null, '', to)
  dispatchEvent(new Event(CHANGED))
}

/** Changes parameters in place: Back does not go through each letter of a search. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes))
    if (value === undefined || value === '') query.delete(name)
    else query.set(name, value)
  const text = query.toString()
  history.replaceState(null, '', `${location.pathname}${text === '' ? '' : `?${text}`}`)
  dispatchEvent(new Event(CHANGED))
}
