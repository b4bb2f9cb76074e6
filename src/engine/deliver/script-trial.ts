import { localZoneMinutes } from '#base/time.ts'
import type { SieveContent } from '#engine/sieve/content.ts'
import { ENVIRONMENT } from '#engine/sieve/extensions/environment.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import type { SieveLists } from '#engine/sieve/message.ts'
import type { SieveLimits } from '#engine/sieve/run.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { AccountFiling } from '#store/mailbox/mailbox-store.ts'

import type { DeliveryMailboxes } from './delivery-mailboxes.ts'
import { mailboxNames, mailboxOf, placed } from './delivery-jobs.ts'
import { includedScripts } from './included-scripts.ts'
import type { MailOwner } from './mail-owner.ts'
import { planDelivery } from './plan.ts'
import type { PlacedScript } from './plan.ts'
import type { DeliveryPlan } from './delivery.ts'
import { annotationsFor } from './script-annotations.ts'
import type { ScriptTrouble } from './script-trouble.ts'

/** One mail as it came. */
export interface MailToTry {
  readonly content: SieveContent
  readonly reversePath: Address | null
  readonly recipient: Address
}

/** What would become of it, came it now. */
export interface TriedMail {
  /** Names of mailboxes, with the flags that it would have there. */
  readonly filed: readonly { readonly mailbox: string; readonly flags: readonly string[] }[]
  /** What would be sent: on to others, answers, notifications. */
  readonly sent: readonly { readonly kind: string; readonly to: readonly string[] }[]
  /** Why it would be refused. */
  readonly refusal?: string
  readonly trouble: readonly ScriptTrouble[]
  /** Answers and notifications that nobody would get, with why. */
  readonly unsent: readonly string[]
  /** False: what was chosen settles it, and the script is not asked. */
  readonly isAsked: boolean
}

/** A script of one's own on trial, where it stands in a delivery: after that of the choices. */
export interface ScriptTrial {
  try(mail: MailToTry): TriedMail
}

/** Nothing of a trial is sent, stored or remembered. */
export async function scriptTrial(parts: {
  readonly program: SieveProgram
  readonly chosenScript: string
  readonly accountId: AccountId
  readonly owner: MailOwner | undefined
  readonly mailboxes: Pick<DeliveryMailboxes, 'filing' | 'script' | 'annotations'>
  readonly lists?: SieveLists
  readonly limits?: SieveLimits
  readonly nowMs: number
}): Promise<ScriptTrial> {
  const { program, chosenScript, accountId, owner, mailboxes, lists, limits, nowMs } = parts
  const { accounts } = await mailboxes.filing({ accountIds: [accountId] })
  const filing: AccountFiling = accounts[0] ?? { mailboxes: [], uses: [] }
  const { scripts, programs } = await includedScripts(mailboxes, accountId, [program])
  const annotation = await annotationsFor(mailboxes, accountId, [program, ...programs])
  const exists = mailboxNames(filing)
  const chosen = placed('choices', chosenScript)
  return {
    try({ content, reversePath, recipient }) {
      let isAsked = false
      const own: PlacedScript = {
        place: 'own',
        program: {
          ...program,
          statements: (run) => {
            isAsked = true
            return program.statements(run)
          },
        },
      }
      const plan = planDelivery(
        {
          deliveryId: 'trial',
          reversePath,
          recipient,
          body: '8bitmime',
          smtpUtf8: true,
          nowMs,
          ...(owner !== undefined && { owner }),
          ...(limits !== undefined && { limits }),
          message: {
            ...content,
            envelopeFrom: reversePath,
            envelopeTo: recipient,
            nowMs,
            zoneMinutes: localZoneMinutes,
            environment: ENVIRONMENT,
            mailboxExists: exists,
            mailboxOf: (by) => mailboxOf(filing, by),
            scripts,
            ...(annotation !== undefined && { annotation }),
            ...(lists !== undefined && { lists }),
          },
        },
        [...chosen, own],
      )
      return { ...shown(plan), isAsked }
    },
  }
}

function shown(plan: DeliveryPlan): Omit<TriedMail, 'isAsked'> {
  const { filed, changes, outbox, refusal, trouble, unsent } = plan
  return {
    // The mail's own places come first; behind them stand what was sent and what tells of trouble.
    filed: filed.map((mailbox, nth) => ({ mailbox, flags: flagsOf(changes[nth]) })),
    sent: outbox.map(({ kind, recipients }) => ({ kind, to: recipients.map(formatAddress) })),
    ...(refusal !== undefined && { refusal }),
    trouble,
    unsent,
  }
}

function flagsOf(change: MailboxChange | undefined): readonly string[] {
  if (change?.kind !== 'append') return []
  const system = SYSTEM_FLAGS.filter((_, bit) => (change.flags & (1 << bit)) !== 0)
  return [...system, ...change.keywords]
}
