import type { Command } from '#codec/imap/command.ts'
import type { ImapCommand } from './session/command.ts'
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './commands/acl.ts'
import { authenticate } from './commands/authenticate.ts'
import { capability } from './commands/capability.ts'
import { close, unselect } from './commands/close.ts'
import { compress } from './commands/compress.ts'
import { copy, move } from './commands/copy.ts'
import { create } from './commands/create.ts'
import { deleteMailbox } from './commands/delete.ts'
import { enable } from './commands/enable.ts'
import { expunge, uidExpunge } from './commands/expunge.ts'
import { fetch } from './commands/fetch.ts'
import { id } from './commands/id.ts'
import { idle } from './commands/idle.ts'
import { getJmapAccess } from './commands/jmap-access.ts'
import { list } from './commands/list.ts'
import { login } from './commands/login.ts'
import { logout } from './commands/logout.ts'
import { lsub } from './commands/lsub.ts'
import { getMetadata, setMetadata } from './commands/metadata.ts'
import { namespace } from './commands/namespace.ts'
import { check, noop } from './commands/noop.ts'
import { getQuota, getQuotaRoot } from './commands/quota.ts'
import { rename } from './commands/rename.ts'
import { search } from './commands/search.ts'
import { examine, select } from './commands/select.ts'
import { sort } from './commands/sort.ts'
import { starttls } from './commands/starttls.ts'
import { status } from './commands/status.ts'
import { store } from './commands/store.ts'
import { thread } from './commands/thread.ts'
import { unauthenticate } from './commands/unauthenticate.ts'
import { subscribe, unsubscribe } from './commands/subscribe.ts'

type AnyCommand = { [N in Command['name']]: ImapCommand<N> }[Command['name']]

const ALL: readonly AnyCommand[] = [
  authenticate,
  capability,
  check,
  close,
  compress,
  copy,
  create,
  deleteAcl,
  deleteMailbox,
  enable,
  examine,
  expunge,
  fetch,
  getAcl,
  getJmapAccess,
  getMetadata,
  getQuota,
  getQuotaRoot,
  id,
  idle,
  list,
  listRights,
  login,
  logout,
  lsub,
  move,
  myRights,
  namespace,
  noop,
  rename,
  search,
  select,
  setAcl,
  setMetadata,
  sort,
  starttls,
  status,
  store,
  subscribe,
  thread,
  uidExpunge,
  unauthenticate,
  unselect,
  unsubscribe,
]

const BY_NAME = new Map(ALL.map((command) => [command.name, command as ImapCommand]))

/** What runs a parsed command; APPEND is not parsed whole and runs by itself. */
export function commandOf(command: Command): ImapCommand {
  const found = BY_NAME.get(command.name)
  if (found === undefined) throw new Error(`no handler of ${command.name}`)
  return found
}
