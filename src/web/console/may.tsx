import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import type { SessionBody } from '#contract/admin/session.ts'
import type { Permission } from '#model/role.ts'

/** What whoever is logged in may do: what he may not is not offered. The API decides. */
export function useMay(): (permission: Permission) => boolean {
  const session = useQueryClient().getQueryData<SessionBody | null>(['session'])
  return (permission) => session?.permissions.includes(permission) === true
}

/** Shows what is in it to those who may do that. */
export function May(props: { readonly do: Permission; readonly children: ReactNode }): ReactNode {
  return useMay()(props.do) ? props.children : null
}
