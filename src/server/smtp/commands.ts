import { auth } from './auth.ts'
import { bdat } from './bdat.ts'
import type { SmtpCommand } from './command.ts'
import { data } from './data.ts'
import { ehlo } from './ehlo.ts'
import { helo } from './helo.ts'
import { help } from './help.ts'
import { lhlo } from './lhlo.ts'
import { mail } from './mail.ts'
import { noop } from './noop.ts'
import { quit } from './quit.ts'
import { rcpt } from './rcpt.ts'
import { rset } from './rset.ts'
import { starttls } from './starttls.ts'
import { expn, vrfy } from './vrfy.ts'

/** Every verb that we know. */
export const COMMANDS: ReadonlyMap<string, SmtpCommand> = new Map(
  [
    auth,
    bdat,
    data,
    ehlo,
    expn,
    helo,
    help,
    lhlo,
    mail,
    noop,
    quit,
    rcpt,
    rset,
    starttls,
    vrfy,
  ].map((command) => [command.verb, command]),
)
