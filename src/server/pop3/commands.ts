import type { Pop3Verb } from '#codec/pop3/command.ts'
import type { Pop3Handler } from './command.ts'
import { auth } from './commands/auth.ts'
import { capa } from './commands/capa.ts'
import { dele, rset } from './commands/dele.ts'
import { lang } from './commands/lang.ts'
import { list, stat, uidl } from './commands/list.ts'
import { noop, quit } from './commands/quit.ts'
import { retr, top } from './commands/retr.ts'
import { stls } from './commands/stls.ts'
import { pass, user } from './commands/user.ts'
import { utf8 } from './commands/utf8.ts'

const ALL: readonly Pop3Handler[] = [
  auth,
  capa,
  dele,
  lang,
  list,
  noop,
  pass,
  quit,
  retr,
  rset,
  stat,
  stls,
  top,
  uidl,
  user,
  utf8,
]

const BY_VERB = new Map(ALL.map((handler) => [handler.verb, handler]))

export const commandOf = (verb: Pop3Verb): Pop3Handler | undefined => BY_VERB.get(verb)
