/** The roles of a machine that runs all of them. */
export const ROLES = ['control', 'store', 'gateway'] as const

/** Names of the roles that a supervisor starts: `deliver` and `serve` are a store on two machines. */
export const ROLE_NAMES = [...ROLES, 'deliver', 'serve'] as const
export type RoleName = (typeof ROLE_NAMES)[number]

/** Roles that have copies of what control hands down. */
export type NodeRoleName = Exclude<RoleName, 'control'>

/** Each role's folder in the data folder; `serve` owns what a store owns. */
export const FOLDERS: Readonly<Record<NodeRoleName, string>> = {
  gateway: 'gateway',
  store: 'store',
  deliver: 'deliver',
  serve: 'store',
}
