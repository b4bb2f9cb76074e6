import { listenersOf } from './start/host.ts'
import { openListeners } from './nodes/node-parts.ts'
import type { DoorParts } from './store-doors.ts'
import type { NodeRole } from './nodes/node-role.ts'

/** The directory as an address book by LDAP; loaded only where host.yaml has a listener for it. */
export async function openAddressBook({
  role,
  clock,
  log,
}: Pick<DoorParts, 'clock' | 'log'> & { readonly role: NodeRole }) {
  const { host, identity, node, authenticator, allowPlaintext } = role
  const listeners = listenersOf(host, 'ldap', 'ldaps')
  if (listeners.length === 0) return { opened: [], listened: [] }
  const { ldapShared, serveLdap } = await import('#server/ldap/serve.ts')
  const shared = ldapShared({
    directory: node.directory,
    clock,
    onRows: (listener) => node.onRows(listener),
    withGroups: () => node.settings['ldap.groups'],
    resultsMax: () => node.settings['ldap.resultsMax'],
  })
  shared.book.warm()
  return openListeners(listeners, log, ({ protocol, address, port }) =>
    serveLdap({
      listen: { address, port },
      tls: protocol === 'ldaps' ? 'implicit' : 'starttls',
      identity: () => identity,
      authenticator,
      allowPlaintext,
      shared,
      clock,
      log,
    }),
  )
}
