import { ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import { bufferOf, fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { firstField, headerFields, headerLength } from '#codec/mime/header.ts'
import type { MailOwner } from '#engine/deliver/mail-owner.ts'
import { notification } from '#engine/deliver/notification.ts'
import type { Delivery } from '#engine/deliver/delivery.ts'
import { vacationAnswer } from '#engine/deliver/vacation.ts'
import type {
  SieveEdited,
  SieveNotify,
  SieveRedirect,
  SieveTarget,
  SieveVacation,
} from '#engine/sieve/action.ts'
import type { SieveMessage, WrittenAddress } from '#engine/sieve/message.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import type { SieveContent } from '#engine/sieve/content.ts'
import { editedOctets } from '#engine/sieve/edited.ts'
import { runSieve } from '#engine/sieve/run.ts'
import type { SieveLimits, SieveResult } from '#engine/sieve/run.ts'
import { writtenAddress } from '#engine/sieve/extensions/addresses.ts'
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
    /** A path that is no address is no error of the trial. */
    readonly isAnyText?: true
  }
  /** How the message was judged; left out: not at all, and spamtest says 0. */
  readonly spamClass?: SpamClass | undefined
  readonly around?: SieveSurroundings | undefined
  /** Whose mail it is; left out: whoever it is delivered to. */
  readonly owner?: MailOwner | undefined
  readonly limits?: SieveLimits | undefined
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
    /** Of a redirect: of what its sender hears, `NEVER`, and what comes back of the mail (RFC 6009 §6). */
    readonly notify?: string
    readonly ret?: string
    /** Until when it is to arrive: `600;R`, in seconds from now (RFC 2852 §4). */
    readonly by?: string
    /** Of a vacation or notification: what its mail says. */
    readonly subject?: string
    /** A sender is answered once in so long. */
    readonly seconds?: number
    /** Where a copy of it is filed (RFC 8580). */
    readonly fcc?: string
  }[]
  /** Answers and notifications that the script wants and nobody would get, with why. */
  readonly unsent?: readonly string[]
}

const NOBODY: Address = { localpart: 'nobody', domain: 'localhost' }

/** What a script would do with a message: nothing is sent or stored. A script that fails keeps it (RFC 5228 §2.10.6). */
export function trySieve(trial: SieveTrial): SieveTried {
  const compiled = compileSieve(trial.script)
  if (!compiled.ok) return { errors: compiled.error, actions: [] }
  const { envelope, around, spamClass } = trial
  const message = withLineEnds(trial.message)
  const content = sieveContent(message, message.byteLength, spamClass && { class: spamClass })
  const from = pathOf(envelope.from, content, 'from')
  const to = pathOf(envelope.to, content, 'to')
  const { isAnyText } = envelope
  for (const path of isAnyText === true ? [] : [from, to])
    if (!path.address.ok) return { errors: [{ message: `${path.text}: no address` }], actions: [] }
  const recipient = (to.address.ok ? to.address.value : null) ?? NOBODY
  const sender = from.address.ok ? from.address.value : null
  const seen: SieveMessage = {
    ...content,
    envelopeFrom: sender,
    envelopeTo: recipient,
    ...(isAnyText === true && { envelopeTexts: { ...from.written, ...to.written } }),
    ...(envelope.auth !== undefined && { envelopeAuth: envelope.auth }),
    mailboxExists: () => true,
    ...surroundings(around ?? {}),
  }
  const run = runSieve(compiled.value, seen, trial.limits)
  if (!run.ok)
    return { errors: [run.error], actions: [{ kind: 'keep', mailbox: 'INBOX', flags: [] }] }
  return {
    errors: [],
    ...actionsOf(run.value, message, {
      deliveryId: 'trial',
      reversePath: sender,
      recipient,
      body: '8bitmime',
      smtpUtf8: true,
      message: seen,
      nowMs: around?.nowMs ?? 0,
      owner: trial.owner ?? { addresses: [recipient] },
    }),
  }
}

/** As a delivery would have it: a file may have lines that end in LF alone. */
function withLineEnds(octets: Octets): Octets {
  const text = toLatin1(octets)
  const ended = text.replace(/\r?\n/g, '\r\n')
  return ended.length === text.length ? octets : fromLatin1(ended)
}

/** With brackets or without; a route is left out (RFC 5321 §4.1.1.3). */
const PATH = /^(<?)(?:@[\w.-]+(?:,@[\w.-]+)*:)?(.*?)(>?)$/s

function pathOf(given: string | undefined, content: SieveContent, field: 'from' | 'to') {
  if (given === undefined)
    return { text: '', address: ok(content.addresses(field)[0] ?? null), written: {} }
  const [, open = '', path = '', close = ''] = PATH.exec(given)!
  const text = open.length === close.length && !/@\.|@[^,:]*\.\./.test(given) ? path : given
  const address: Outcome<Address | null, unknown> = text === '' ? ok(null) : parseAddress(text)
  return { text, address, written: { [field]: writtenPath(text) } }
}

/** What scripts compare of a path: also a host that no standard allows, and a local part alone; else nothing. */
function writtenPath(path: string): readonly WrittenAddress[] {
  const [, localpart, domain] =
    /^((?:"(?:[^"\\]|\\.)*"|[^\s"<>@])*)(?:@([^\s@<>]+))?$/s.exec(path) ?? []
  if (localpart === undefined) return []
  if (domain === undefined) return [{ all: path }]
  if (!parseAddress(path).ok && !/^[\w-]+(?:\.[\w-]+)*$/.test(domain)) return []
  return [writtenAddress({ localpart, domain })]
}

type Tried = SieveTried['actions'][number]

function actionsOf(
  result: SieveResult,
  message: Octets,
  delivery: Delivery & { readonly owner: MailOwner },
): Pick<SieveTried, 'actions' | 'unsent'> {
  const changed = (edited: SieveEdited | undefined) =>
    edited === undefined
      ? {}
      : { message: bufferOf(editedOctets(edited, message)).toString('base64') }
  const actions: Tried[] = []
  const unsent: string[] = []
  for (const action of result.actions)
    if (action.kind === 'vacation' || action.kind === 'notify') {
      const sent = automaticOf(action, delivery)
      if (typeof sent === 'string') unsent.push(`${action.kind}: ${sent}`)
      else actions.push(sent)
    } else
      actions.push({
        kind: action.kind,
        ...(action.kind === 'fileinto' && { mailbox: mailboxOf(action, delivery.message) }),
        ...(action.kind === 'keep' && { mailbox: 'INBOX' }),
        ...('address' in action && { address: formatAddress(action.address) }),
        ...(action.kind === 'redirect' && termsOf(action, delivery.nowMs)),
        ...('flags' in action && { flags: [...action.flags] }),
        ...('reason' in action && { text: action.reason }),
        ...('edited' in action && changed(action.edited)),
      })
  if (result.implicitKeep)
    actions.push({
      kind: 'keep',
      mailbox: 'INBOX',
      flags: [...result.flags],
      ...changed(result.edited),
    })
  return { actions, ...(unsent.length > 0 && { unsent }) }
}

/** As parameters of MAIL and RCPT. */
const termsOf = ({ dsn, deliverBy }: SieveRedirect, nowMs: number) => ({
  ...(dsn?.notify !== undefined && { notify: dsn.notify.join().toUpperCase() || 'NEVER' }),
  ...(dsn?.ret !== undefined && { ret: dsn.ret.toUpperCase() }),
  ...(deliverBy !== undefined && {
    by: `${Math.round((deliverBy.atMs - nowMs) / SECOND_MS)};${deliverBy.mode === 'return' ? 'R' : 'N'}${deliverBy.isTraced ? 'T' : ''}`,
  }),
})

/** Where it is filed: the mailbox of the use or id where there is one (RFC 8579 §4, RFC 9042 §4). */
const mailboxOf = (target: SieveTarget, { mailboxOf: find }: SieveMessage): string => {
  const { mailbox, specialUse, mailboxId } = target
  const isPlaced = specialUse !== undefined || mailboxId !== undefined
  return (isPlaced ? find?.(target) : undefined) ?? mailbox
}

/** What the mail of a vacation or notification would be, or why there is none. */
function automaticOf(
  action: SieveVacation | SieveNotify,
  delivery: Delivery & { readonly owner: MailOwner },
): Tried | string {
  const { owner } = delivery
  const answer =
    action.kind === 'vacation'
      ? vacationAnswer(action, delivery, owner)
      : notification(action, delivery, owner, 0)
  if (typeof answer === 'string') return answer
  const { recipients, content } = answer.entry
  const fields = [...headerFields(content.subarray(0, headerLength(content)))]
  return {
    kind: action.kind,
    address: action.kind === 'notify' ? action.method : recipients.map(formatAddress).join(', '),
    subject: decodeWords(firstField(fields, 'subject') ?? ''),
    text: (action.kind === 'vacation' ? action.reason : action.message) ?? '',
    ...(action.kind === 'vacation' && { seconds: action.seconds }),
    ...(action.fcc !== undefined && { fcc: mailboxOf(action.fcc, delivery.message) }),
  }
}

/** Checks and tries scripts for the administration API. */
export const sieveBench: SieveBench = {
  check: (script) => {
    const compiled = compileSieve(script)
    return Promise.resolve(compiled.ok ? [] : compiled.error)
  },
  test: (trial) => Promise.resolve(trySieve(trial)),
}
