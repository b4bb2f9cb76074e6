import { timedId } from '#base/id.ts'
import type { Log } from '#base/log.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { postDesk } from '#engine/list/desk.ts'
import type { PostDesk } from '#engine/list/desk.ts'
import { DmarcDemands } from '#engine/list/dmarc-demand.ts'
import { ListKeeper } from '#engine/list/keeper.ts'
import { leaveLinks } from '#engine/list/leave-link.ts'
import type { LeaveLinks } from '#engine/list/leave-link.ts'
import type { ListMailboxes } from '#engine/list/list-store.ts'
import { reachOf } from '#engine/list/reach.ts'
import type { MembershipActBody } from '#contract/node/membership.ts'
import type { MailingList } from '#model/list.ts'
import type { TextSearch } from '#store/search/text-search.ts'

import type { NodeRole } from './nodes/node-role.ts'
import { resolverOf } from './resolver.ts'

/** What one post may wait for the name service. */
const DNS_BUDGET_MS = 2.5 * SECOND_MS

/** The work on mail of lists, where their mailboxes are owned. */
export function startLists(parts: {
  readonly role: NodeRole
  readonly mailboxes: ListMailboxes
  readonly search: TextSearch
  readonly filed: () => void
  readonly clock: Clock
  readonly log: Log
}): { readonly keeper: ListKeeper; readonly desk: PostDesk; readonly leaveLinks: LeaveLinks } {
  const { role, mailboxes, search, filed, clock, log } = parts
  const { node, host, events } = role
  const { directory } = node
  let resolver = resolverOf(node.settings)
  node.onSettings((settings) => {
    resolver = resolverOf(settings)
  })
  const demands = new DmarcDemands({
    clock,
    ask: async (name) => {
      const answer = await resolver.within(DNS_BUDGET_MS).txt(name)
      if (answer.kind === 'temperror') return undefined
      return answer.kind === 'found' ? answer.records : []
    },
  })
  const work = {
    mailboxes,
    directory,
    demands,
    filed,
    events,
    clock,
    log,
    reachOf: (list: MailingList) => reachOf(list, directory, clock.nowMs()),
    membership: (act: MembershipActBody) => node.link.membership(act),
    pages: () => `https://mail.${host.domain}`,
    publicUrl: () => node.settings['web.publicUrl'] || undefined,
    newId: () => timedId(clock.nowMs()),
  }
  const keeper = new ListKeeper(work)
  return { keeper, desk: postDesk(keeper, work, search), leaveLinks: leaveLinks(work) }
}
