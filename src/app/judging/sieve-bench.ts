import { ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import type { SieveContent } from '#engine/sieve/content.ts'
import type { SieveEdited } from '#engine/sieve/action.ts'
import { editedOctets } from '#engine/sieve/edited.ts'
import { runSieve } from '#engine/sieve/run.ts'
import type { SieveResult } from '#engine/sieve/run.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { SpamClass } from '#model/verdict.ts'
import type { SieveBench, SieveIssue } from '#server/admin/context.ts'

import { surroundings } from './sieve-surroundings.ts'
import type { SieveSurroundings } from './sieve-surroundings.ts'

/** One script tried on one message. */
export interface SieveTrial {
  readonly script: string
  readonly message: Octets
  readonly envelope: {
    /** Empty: the null reverse-path. Left out: the first address of From. */
    readonly from?: string | undefined
    /** Left out: the first address of To. */
    readonly to?: string | undefined
    /** How the submitter authenticated. */
    readonly auth?: string | undefined
  }
  /** How the message was judged; left out: not at all, and spamtest says 0. */
  readonly spamClass?: SpamClass | undefined
  readonly around?: SieveSurroundings | undefined
}

export interface SieveTried {
  readonly errors: readonly SieveIssue[]
  readonly actions: readonly {
    readonly kind: string
    readonly mailbox?: string
    readonly address?: string
    readonly flags?: readonly string[]
    readonly text?: string
    /** In base64, where the script has changed it: what is kept, filed or sent. */
    readonly message?: string
  }[]
}

const NOBODY: Address = { localpart: 'nobody', domain: 'localhost' }

/** What a script would do with a message: nothing is sent or stored. A script that fails keeps it (RFC 5228 §2.10.6). */
export function trySieve(trial: SieveTrial): SieveTried {
  const compiled = compileSieve(trial.script)
  if (!compiled.ok) return { errors: compiled.error, actions: [] }
  const { message, envelope, around, spamClass } = trial
  const content = sieveContent(message, message.byteLength, spamClass && { class: spamClass })
  const from = pathOf(envelope.from, content, 'from')
  const to = pathOf(envelope.to, content, 'to')
  for (const [path, text] of [
    [from, envelope.from],
    [to, envelope.to],
  ] as const)
    if (!path.ok) return { errors: [{ message: `${text}: no address` }], actions: [] }
  const run = runSieve(compiled.value, {
    ...content,
    envelopeFrom: from.ok ? from.value : null,
    envelopeTo: (to.ok ? to.value : null) ?? NOBODY,
    ...(envelope.auth !== undefined && { envelopeAuth: envelope.auth }),
    mailboxExists: () => true,
    ...surroundings(around ?? {}),
  })
  return run.ok
    ? { errors: [], actions: actionsOf(run.value, message) }
    : {
        errors: [run.error],
        actions: [{ kind: 'keep', mailbox: 'INBOX', flags: [] }],
      }
}

function pathOf(
  text: string | undefined,
  content: SieveContent,
  field: 'from' | 'to',
): Outcome<Address | null, unknown> {
  if (text === undefined) return ok(content.addresses(field)[0] ?? null)
  return text === '' ? ok(null) : parseAddress(text)
}

function actionsOf(result: SieveResult, message: Octets): SieveTried['actions'] {
  const changed = (edited: SieveEdited | undefined) =>
    edited === undefined
      ? {}
      : { message: bufferOf(editedOctets(edited, message)).toString('base64') }
  const actions = result.actions.map((action) => ({
    kind: action.kind,
    ...('mailbox' in action && { mailbox: action.mailbox }),
    ...(action.kind === 'keep' && { mailbox: 'INBOX' }),
    ...('address' in action && { address: formatAddress(action.address) }),
    ...('flags' in action && { flags: [...action.flags] }),
    ...('reason' in action && { text: action.reason }),
    ...(action.kind === 'notify' && { address: action.method, text: action.message ?? '' }),
    ...('edited' in action && changed(action.edited)),
  }))
  return result.implicitKeep
    ? [
        ...actions,
        { kind: 'keep', mailbox: 'INBOX', flags: [...result.flags], ...changed(result.edited) },
      ]
    : actions
}

/** Checks and tries scripts for the administration API. */
export const sieveBench: SieveBench = {
  check: (script) => {
    const compiled = compileSieve(script)
    return Promise.resolve(compiled.ok ? [] : compiled.error)
  },
  test: (trial) => Promise.resolve(trySieve(trial)),
}
