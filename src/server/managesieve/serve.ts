import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { renderResponse } from '#codec/managesieve/response.ts'
import { toLatin1 } from '#base/octets.ts'
import type { ScriptsBy } from '#engine/deliver/told-scripts.ts'
import { Admission } from '#net/admission.ts'
import type { AdmissionLimits } from '#net/admission.ts'
import { openDoor } from '#net/door.ts'
import { endFallen } from '#store/directory/standing.ts'
import type { LoginListener, LoginListenerOptions } from '#server/login-listener.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { bye } from './responses.ts'
import { ManageSieveSession } from './session.ts'

export interface ManageSieveLimits extends AdmissionLimits {
  readonly loginTimeoutMs: number
  /** RFC 5804 §1.2 asks for 30 minutes at least. */
  readonly idleTimeoutMs: number
  readonly transferTimeoutMs: number
  readonly errorsMax: number
  readonly loginFailuresMax: number
}

const MANAGESIEVE_LIMITS: ManageSieveLimits = {
  connectionsMax: 5_000,
  connectionsPerIpMax: 1_000,
  loginTimeoutMs: 3 * MINUTE_MS,
  idleTimeoutMs: 30 * MINUTE_MS,
  transferTimeoutMs: 60 * SECOND_MS,
  errorsMax: 20,
  loginFailuresMax: 6,
}

/** What all listeners of a process share. */
export interface ManageSieveShared {
  readonly scripts: ScriptsBy
  /** To warn of scripts that file into what is not there. */
  readonly store: Pick<MailboxStore, 'mailboxes'>
  readonly limits: ManageSieveLimits
  readonly admission: Admission
}

export const manageSieveShared = (options: {
  readonly scripts: ScriptsBy
  readonly store: Pick<MailboxStore, 'mailboxes'>
  readonly limits?: Partial<ManageSieveLimits>
}): ManageSieveShared => ({
  scripts: options.scripts,
  store: options.store,
  limits: { ...MANAGESIEVE_LIMITS, ...options.limits },
  admission: new Admission(),
})

export interface ManageSieveListenerOptions extends LoginListenerOptions {
  readonly shared: ManageSieveShared
}

/** Listens for ManageSieve (RFC 5804). Throws Fault `config` where the place cannot be had. */
export async function serveManageSieve(
  options: ManageSieveListenerOptions,
): Promise<LoginListener> {
  const { admission, limits } = options.shared
  const door = await openDoor({
    ...options,
    name: 'managesieve',
    admission,
    limits: () => limits,
    tooMany: toLatin1(renderResponse(bye('Too many connections', 'TRYLATER'))),
    open: (client) => {
      const session = new ManageSieveSession(options, client)
      return {
        session,
        run: () => session.run(),
        bye: () => session.bye(bye('Server shuts down', 'TRYLATER')),
      }
    },
  })
  const stopLooking = endFallen(door.sessions, {
    ...options,
    accountOf: ({ session }) => session.account,
    end: ({ session }) => session.bye(bye('This login may not be used any longer')),
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
