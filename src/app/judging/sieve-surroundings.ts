import { SECOND_MS } from '#base/time.ts'
import { addressKey, parseAddress } from '#model/address.ts'
import type { DeliverBy } from '#model/envelope.ts'
import type { SieveLists, SieveMessage } from '#engine/sieve/message.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import { ENVIRONMENT } from '#engine/sieve/extensions/environment.ts'
import { compileSieve } from '#engine/sieve/compile.ts'

/** What a trial has around its script and message; what is left out is not there. */
export interface SieveSurroundings {
  /** Mailboxes that there are; left out: every one. */
  readonly mailboxes?: readonly string[] | undefined
  /** 0 to 10, as spamtest tells it (RFC 5235 §3.2). */
  readonly spamValue?: number | undefined
  readonly spamPercent?: number | undefined
  /** 0 to 5 (RFC 5235 §3.3). */
  readonly virusValue?: number | undefined
  readonly nowMs?: number | undefined
  /** Minutes east of UTC. */
  readonly zoneMinutes?: number | undefined
  /** Beside what a delivery has, or in its place. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** What the sender asked to hear of (RFC 6009 §4). */
  readonly dsn?: SieveMessage['envelopeDsn'] | undefined
  /** Until when it was to arrive, in seconds from now (RFC 6009 §5). */
  readonly by?: ({ readonly seconds: number } & Omit<DeliverBy, 'atMs'>) | undefined
  /** Of a message to which something has happened (RFC 6785). */
  readonly flags?: readonly string[] | undefined
  /** Scripts to include, by location and name. */
  readonly scripts?:
    | { readonly personal?: Texts | undefined; readonly global?: Texts | undefined }
    | undefined
  /** Lists, by name, with what they hold. */
  readonly lists?: Readonly<Record<string, readonly string[]>> | undefined
  /** Mailboxes by special use and by id. */
  readonly specialUses?: Texts | undefined
  readonly mailboxIds?: Texts | undefined
  /** Annotations by mailbox; those of the server by the empty name. */
  readonly annotations?: Readonly<Record<string, Texts>> | undefined
}

type Texts = Readonly<Record<string, string>>

const own = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

/** The surroundings as scripts ask for them. */
export function surroundings(given: SieveSurroundings): Partial<SieveMessage> {
  const { mailboxes, spamValue, spamPercent, virusValue, nowMs, environment, lists } = given
  return {
    mailboxExists: (name) =>
      mailboxes === undefined || /^inbox$/i.test(name) || mailboxes.includes(name),
    mailboxOf: ({ specialUse, mailboxId }) =>
      mailboxId === undefined
        ? own(given.specialUses, specialUse ?? '')
        : own(given.mailboxIds, mailboxId),
    annotation: (mailbox, entry) => own(own(given.annotations, mailbox ?? ''), entry),
    zoneMinutes: () => given.zoneMinutes ?? 0,
    scripts: includedScripts(given.scripts),
    ...(spamValue !== undefined && { spamValue }),
    ...(spamPercent !== undefined && { spamPercent }),
    ...(virusValue !== undefined && { virusValue }),
    ...(nowMs !== undefined && { nowMs }),
    environment: { ...ENVIRONMENT, ...lowered(environment ?? {}) },
    ...(given.flags !== undefined && { flags: given.flags }),
    ...(given.dsn !== undefined && { envelopeDsn: given.dsn }),
    ...(given.by !== undefined && { envelopeBy: deliverBy(given.by, nowMs ?? 0) }),
    ...(lists !== undefined && { lists: knownLists(lists) }),
  }
}

const deliverBy = (
  { seconds, mode, isTraced }: SieveSurroundings['by'] & {},
  nowMs: number,
): DeliverBy => ({ atMs: nowMs + seconds * SECOND_MS, mode, isTraced })

function knownLists(given: SieveSurroundings['lists'] & {}): SieveLists {
  const lists = Object.fromEntries(
    Object.entries(given).map(([name, values]) => [listName(name), values]),
  )
  return {
    has: (list) => Object.hasOwn(lists, listName(list)),
    holds: (list, value) =>
      own(lists, listName(list))?.some((each) => isSame(each, value)) ?? false,
    addresses: (list) =>
      own(lists, listName(list))?.flatMap((each) => {
        const parsed = parseAddress(each)
        return parsed.ok ? [parsed.value] : []
      }),
  }
}

/** RFC 6134 §2.6: `:addrbook:NAME` is a short form. */
const listName = (name: string): string =>
  name.replace(/^urn:ietf:params:sieve:(?=addrbook:)/i, ':')

/** Addresses compare as addresses; all else as it stands. */
function isSame(a: string, b: string): boolean {
  const [one, two] = [parseAddress(a), parseAddress(b)]
  return one.ok && two.ok ? addressKey(one.value) === addressKey(two.value) : a === b
}

const lowered = (items: Texts): Texts =>
  Object.fromEntries(Object.entries(items).map(([name, value]) => [name.toLowerCase(), value]))

/** Each is compiled once. */
function includedScripts(scripts: SieveSurroundings['scripts']): SieveMessage['scripts'] & {} {
  const known = new Map<string, SieveProgram | undefined>()
  return ({ location, name }) => {
    const key = `${location} ${name}`
    if (!known.has(key)) {
      const text = own(scripts?.[location], name)
      const compiled = text === undefined ? undefined : compileSieve(text)
      known.set(key, compiled?.ok === true ? compiled.value : undefined)
    }
    return known.get(key)
  }
}
