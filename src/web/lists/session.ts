import { useQuery } from '@tanstack/react-query'
import type { UseQueryResult } from '@tanstack/react-query'

import type { ListBody } from '#contract/admin/lists.ts'
import type { SessionBody } from '#contract/admin/session.ts'
import { ApiFailure, ask, remember } from '#web/parts/api.ts'

const KEY = ['session', 'lists'] as const

/** Everybody with an account comes in; what they may do a list says. */
export async function enter(username: string, password: string): Promise<SessionBody> {
  const body = { username, password, for: 'lists' }
  return remember(await ask<SessionBody>('POST', '/session', { body }))
}

export const leave = (): Promise<unknown> =>
  ask('DELETE', '/session?for=lists').catch(() => undefined)

/** Who is logged in; null: nobody. */
export const useSession = (): UseQueryResult<SessionBody | null> =>
  useQuery({
    queryKey: KEY,
    queryFn: async () => {
      try {
        const path = '/session?for=lists'
        return remember(await ask<SessionBody>('GET', path, { background: true }))
      } catch (thrown) {
        if (thrown instanceof ApiFailure && thrown.status === 401) return null
        throw thrown
      }
    },
    refetchInterval: 60_000,
  })

/** What is offered to whoever is logged in; the API decides. */
export function useRights(list: ListBody | undefined): {
  /** Members, rules, posts. */
  readonly mayChange: boolean
  /** What waits. */
  readonly mayDecide: boolean
  /** Who is in it. */
  readonly mayLook: boolean
} {
  const { data: session } = useSession()
  const is = ({ address }: { readonly address?: string | undefined }): boolean =>
    address !== undefined && address === session?.address
  const mayChange =
    list !== undefined &&
    session !== undefined &&
    session !== null &&
    (session.permissions.includes('lists.write') || list.owners.some(is))
  const mayDecide = mayChange || list?.moderators.some(is) === true
  return {
    mayChange,
    mayDecide,
    mayLook: mayDecide || session?.permissions.includes('lists.read') === true,
  }
}
