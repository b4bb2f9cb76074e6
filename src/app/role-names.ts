/** Names of the roles that a supervisor starts. */
export const ROLES = ['control', 'store', 'gateway'] as const
export type RoleName = (typeof ROLES)[number]
