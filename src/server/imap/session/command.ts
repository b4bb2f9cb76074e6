import type { Command } from '#codec/imap/command.ts'
import type { Completion } from './completion.ts'
import type { ImapSession } from './session.ts'

/** States of RFC 9051 §3, as far as a session has them. */
export type State = 'greeted' | 'loggedIn' | 'selected'

export const ANY: readonly State[] = ['greeted', 'loggedIn', 'selected']
export const LOGGED_IN: readonly State[] = ['loggedIn', 'selected']
export const SELECTED: readonly State[] = ['selected']

export type Named<N extends Command['name']> = Extract<Command, { readonly name: N }>

/** Commands that need no row of the selected mailbox leave them where they are. */
export const usesRows = ({ name, states }: Pick<ImapCommand, 'name' | 'states'>): boolean =>
  (states === SELECTED && name !== 'UNSELECT') || name === 'NOOP' || name === 'IDLE'

/** One command of IMAP: where it is allowed, and what it does before its tagged response. */
export interface ImapCommand<N extends Command['name'] = Command['name']> {
  readonly name: N
  readonly states: readonly State[]
  run(session: ImapSession, command: Named<N>, tag: string): Promise<Completion>
}
