import { go, setQuery, useAddress, segmentsOf } from '#web/parts/address.ts'

/** What is in view, as the address has it: mailbox, search, message. */
export interface Place {
  /** A role, or an id. */
  readonly box: string
  readonly search: string
  readonly isEverywhere: boolean
  readonly messageId: string | undefined
}

export function usePlace(): Place {
  const { path, query } = useAddress()
  return {
    box: segmentsOf(path)[1] || 'inbox',
    search: query.get('q') ?? '',
    isEverywhere: query.get('in') !== 'here',
    messageId: query.get('m') ?? undefined,
  }
}

export const boxPath = (box: { readonly id: string; readonly role: string | null }): string =>
  `/mail/${encodeURIComponent(box.role ?? box.id)}`

const withQuery = (change: (query: URLSearchParams) => void): string => {
  const query = new URLSearchParams(location.search)
  change(query)
  const text = query.toString()
  return `${location.pathname}${text === '' ? '' : `?${text}`}`
}

export const messagePath = (id: string): string => withQuery((query) => query.set('m', id))

/** Opens a message. From one to the next is one step for Back. */
export function openMessage(id: string): void {
  if (new URLSearchParams(location.search).has('m')) setQuery({ m: id })
  else go(messagePath(id))
}

export const closeMessage = (): void => setQuery({ m: undefined })

export function search(text: string, isEverywhere: boolean): void {
  const query = new URLSearchParams()
  if (text !== '') query.set('q', text)
  if (text !== '' && !isEverywhere) query.set('in', 'here')
  const rest = query.toString()
  go(`${location.pathname}${rest === '' ? '' : `?${rest}`}`)
}
