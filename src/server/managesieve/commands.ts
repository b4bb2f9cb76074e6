import type { ManageSieveVerb } from '#codec/managesieve/command.ts'
import type { ManageSieveHandler } from './command.ts'
import { authenticate } from './commands/authenticate.ts'
import { capability } from './commands/capability.ts'
import { checkscript } from './commands/checkscript.ts'
import { deletescript } from './commands/deletescript.ts'
import { getscript } from './commands/getscript.ts'
import { havespace } from './commands/havespace.ts'
import { listscripts } from './commands/listscripts.ts'
import { logout } from './commands/logout.ts'
import { noop } from './commands/noop.ts'
import { putscript } from './commands/putscript.ts'
import { renamescript } from './commands/renamescript.ts'
import { setactive } from './commands/setactive.ts'
import { starttls } from './commands/starttls.ts'
import { unauthenticate } from './commands/unauthenticate.ts'

const HANDLERS: { readonly [V in ManageSieveVerb]: ManageSieveHandler<V> } = {
  AUTHENTICATE: authenticate,
  CAPABILITY: capability,
  CHECKSCRIPT: checkscript,
  DELETESCRIPT: deletescript,
  GETSCRIPT: getscript,
  HAVESPACE: havespace,
  LISTSCRIPTS: listscripts,
  LOGOUT: logout,
  NOOP: noop,
  PUTSCRIPT: putscript,
  RENAMESCRIPT: renamescript,
  SETACTIVE: setactive,
  STARTTLS: starttls,
  UNAUTHENTICATE: unauthenticate,
}

export const handlerOf = (verb: ManageSieveVerb): Omit<ManageSieveHandler, 'verb'> => HANDLERS[verb]
