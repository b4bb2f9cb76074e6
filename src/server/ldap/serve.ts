import type { Log } from '#base/log.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { Admission } from '#net/admission.ts'
import type { AdmissionLimits } from '#net/admission.ts'
import { openDoor } from '#net/door.ts'
import type { TlsIdentity } from '#net/tls.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { Directory } from '#store/directory/directory.ts'
import { endFallen } from '#store/directory/standing.ts'
import { AddressBook } from './address-book.ts'
import type { RowsListener } from './address-book.ts'
import { resultOf } from './results.ts'
import { LdapSession } from './session.ts'

export interface LdapLimits extends AdmissionLimits {
  readonly loginTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly transferTimeoutMs: number
  readonly loginFailuresMax: number
}

const LDAP_LIMITS: LdapLimits = {
  connectionsMax: 5_000,
  connectionsPerIpMax: 1_000,
  loginTimeoutMs: MINUTE_MS,
  idleTimeoutMs: 15 * MINUTE_MS,
  transferTimeoutMs: 60 * SECOND_MS,
  loginFailuresMax: 6,
}

/** What all listeners of a process share. */
export interface LdapShared {
  readonly directory: Directory
  readonly book: AddressBook
  readonly limits: LdapLimits
  readonly admission: Admission
  /** Entries of one answer. */
  readonly resultsMax: () => number
}

export const ldapShared = (options: {
  readonly directory: Directory
  readonly clock: Clock
  readonly onRows: (listener: RowsListener) => void
  readonly withGroups: () => boolean
  readonly resultsMax: () => number
  readonly limits?: Partial<LdapLimits>
}): LdapShared => ({
  directory: options.directory,
  book: new AddressBook(options),
  limits: { ...LDAP_LIMITS, ...options.limits },
  admission: new Admission(),
  resultsMax: options.resultsMax,
})

export interface LdapListenerOptions {
  readonly listen: { readonly address: string; readonly port: number; readonly ipv6Only?: boolean }
  readonly tls: 'starttls' | 'implicit'
  readonly identity: () => TlsIdentity
  readonly authenticator: Authenticator
  /** Whether passwords are taken without TLS, by the client's address: for loopback and tests. */
  readonly allowPlaintext?: (ip: string) => boolean
  readonly shared: LdapShared
  readonly clock: Clock
  readonly log: Log
}

export interface LdapListener {
  readonly port: number
  /** Accepts no more, and gives those that are there `graceMs` to end. */
  close(graceMs: number): Promise<void>
}

/** Listens for LDAP (RFC 4511), as an address book that is read only. Throws Fault `config` where the place cannot be had. */
export async function serveLdap(options: LdapListenerOptions): Promise<LdapListener> {
  const { admission, limits } = options.shared
  const door = await openDoor({
    ...options,
    name: 'ldap',
    admission,
    limits: () => limits,
    // One that is too many hears nothing: a server speaks first to nobody here (RFC 4511 §4.4).
    open: (client) => new LdapSession(options, client),
  })
  const stopLooking = endFallen(door.sessions, {
    ...options,
    accountOf: ({ entrant }) => entrant,
    end: (session) => session.bye(FALLEN),
  })
  return {
    port: door.port,
    close: (graceMs) => {
      stopLooking()
      return door.close(graceMs)
    },
  }
}

/** RFC 4511 §4.4.1: the association between client and server is not what it was. */
const FALLEN = resultOf('strongerAuthRequired', 'this login may not be used any longer')
