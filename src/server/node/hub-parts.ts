import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import type { OwnActBody, OwnEnd } from '#contract/admin/choices.ts'
import type { MembershipActBody, MembershipEnd } from '#contract/node/membership.ts'
import type { ScriptWritesBody } from '#contract/node/scripts.ts'
import type { NewCredential } from '#contract/node/wire.ts'
import type { AccountId } from '#model/account.ts'
import type { AppPasswordChange } from '#model/app-password.ts'
import type { NodeId } from '#model/event.ts'
import type { NodePlace } from '#model/node.ts'
import type { AppPasswordUses } from '#store/directory/app-password-uses.ts'
import type { DirectoryLog } from '#store/directory/directory-log.ts'
import type { EventIndex } from '#store/events/event-index.ts'
import type { SettingsSnapshot } from '#store/settings/resolve.ts'
import type { IncomingMessage } from 'node:http'

/** What the hub hands down and where it puts what comes up. */
export interface HubParts {
  readonly settings: {
    readonly snapshot: SettingsSnapshot
    table(hash: string): Promise<string | undefined>
    onChange(listener: () => void): () => void
  }
  readonly directory: {
    readonly directory: { readonly seq: number; readonly size: number }
    onChange(listener: () => void): () => void
  }
  /** The joined nodes, for one another; absent: there are none. */
  readonly nodes?: {
    readonly places: readonly NodePlace[]
    onChange(listener: () => void): () => void
    /** A node says where it answers. */
    moved(node: string, at: { readonly address: string; readonly port: number }): Promise<void>
  }
  readonly log: DirectoryLog
  readonly index: EventIndex
  readonly clock: Clock
  /** What time it is for accounts, at every node; absent: the clock's. */
  readonly calendar?: { readonly nowMs: number }
  readonly trouble: Log
  /** Takes a new hash of a password that was right at a node. */
  credential?(made: NewCredential, node: NodeId): Promise<void>
  /** Takes what somebody has made, or takes back, on a page of a node. */
  appPassword?(change: AppPasswordChange, node: NodeId): Promise<'done' | 'limit' | 'notFound'>
  /** When app passwords were used last, as nodes tell it. */
  readonly uses?: AppPasswordUses
  /** What somebody does with the own choices on a page of a node. */
  choices?(accountId: AccountId, act: OwnActBody, node: NodeId): Promise<OwnEnd>
  /** What somebody does with the own place in a mailing list, as a node has it from them. */
  membership?(act: MembershipActBody, node: NodeId): Promise<MembershipEnd>
  /** A change of users' scripts for where they have their home; `here`: they have none but the store. */
  scripts?(change: ScriptWritesBody): Promise<'written' | 'here'>
  /** Where a store lies behind this door: how it is, for gateways that bring it mail. */
  storeState?(): string
  /** Who asks, by what the transport proves; undefined: refused. */
  identify(request: IncomingMessage): { readonly node: NodeId; readonly role: string } | undefined
}
