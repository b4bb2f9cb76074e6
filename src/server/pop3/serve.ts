import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { Admission } from '#net/admission.ts'
import type { AdmissionLimits } from '#net/admission.ts'
import { openDoor } from '#net/door.ts'
import { endFallen } from '#store/directory/standing.ts'
import type { LoginListener, LoginListenerOptions } from '#server/login-listener.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { Pop3Session } from './session.ts'

export interface Pop3Limits extends AdmissionLimits {
  readonly loginTimeoutMs: number
  /** RFC 1939 §3 asks for 10 minutes at least. */
  readonly idleTimeoutMs: number
  readonly transferTimeoutMs: number
  readonly errorsMax: number
  readonly loginFailuresMax: number
}

const POP3_LIMITS: Pop3Limits = {
  connectionsMax: 5_000,
  connectionsPerIpMax: 1_000,
  loginTimeoutMs: 3 * MINUTE_MS,
  idleTimeoutMs: 10 * MINUTE_MS,
  transferTimeoutMs: 60 * SECOND_MS,
  errorsMax: 20,
  loginFailuresMax: 6,
}

/** Accounts that a session of this process has open: one at a time (RFC 1939 §4). */
export interface Pop3Shared {
  readonly store: MailboxStore
  readonly limits: Pop3Limits
  readonly open: Set<AccountId>
  readonly admission: Admission
  /** Whether a maildrop shows the mailbox Junk and those below it too, asked at each login. */
  readonly withJunk: () => boolean
}

export const pop3Shared = (options: {
  readonly store: MailboxStore
  readonly limits?: Partial<Pop3Limits>
  readonly withJunk?: () => boolean
}): Pop3Shared => ({
  store: options.store,
  limits: { ...POP3_LIMITS, ...options.limits },
  open: new Set(),
  admission: new Admission(),
  withJunk: options.withJunk ?? (() => false),
})

export interface Pop3ListenerOptions extends LoginListenerOptions {
  readonly tls?: 'starttls' | 'implicit'
  /** Shared by all listeners of a process. */
  readonly shared: Pop3Shared
}

/** Listens for POP3 (RFC 1939). Throws Fault `config` where the place cannot be had. */
export async function servePop3(options: Pop3ListenerOptions): Promise<LoginListener> {
  const { admission, limits } = options.shared
  const door = await openDoor({
    ...options,
    name: 'pop3',
    admission,
    limits: () => limits,
    tooMany: '-ERR [SYS/TEMP] Too many connections\r\n',
    open: (client) => new Pop3Session(options, client),
  })
  const stopLooking = endFallen(door.sessions, {
    ...options,
    accountOf: (session) => session.account,
    end: (session) => session.bye(),
  })
  return {
    port: door.port,
    connections: () => door.connections(),
    close: (graceMs) => {
      stopLooking()
      return door.close(graceMs)
    },
  }
}
