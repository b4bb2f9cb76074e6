import { getServers } from 'node:dns'

import { systemClock } from '#base/time.ts'
import { Resolver } from '#client/dns/resolver.ts'
import type { Settings } from '#store/settings/table.ts'

/** A resolver by the settings; the machine's own servers where they name none. */
export function resolverOf(settings: Settings): Resolver {
  const servers = settings['dns.servers']
  return new Resolver({
    servers: servers.length > 0 ? servers : getServers(),
    timeoutMs: settings['dns.timeoutMs'],
    clock: systemClock,
  })
}
