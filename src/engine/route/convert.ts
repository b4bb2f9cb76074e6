import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { atOnce } from '#base/turns.ts'
import type { Steps } from '#base/turns.ts'
import type { Account, AccountId } from '#model/account.ts'
import { NO_MOMENT, forwardAfter, isKept, takesMail } from '#model/account-life.ts'
import { addressKey, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { ListPurpose, MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'

/** What conversion looks at; the whole Directory has it, and so has a copy with one change. */
export type Addressing = Pick<
  Directory,
  | 'account'
  | 'alias'
  | 'byAddress'
  | 'byFormerAddress'
  | 'domain'
  | 'forward'
  | 'listByAddress'
  | 'moment'
  | 'route'
>

/** Where one recipient's mail ends up. */
export interface Target {
  readonly address: Address
  /**
   * local: an account of ours · list: a mailing list, which the store expands · relay: in a domain of ours, kept by another server that a route names ·
   * remote: in a domain that is not ours · unknown: in a domain of ours, and nobody has it, or who had it has left.
   */
  readonly class: 'local' | 'list' | 'relay' | 'remote' | 'unknown'
  readonly accountId?: AccountId
  readonly list?: NamedTarget
}

/** Which list it is, and what mail to this address of it is about. */
export interface NamedTarget {
  readonly id: MailingList['id']
  readonly purpose: ListPurpose
}

export interface Converted {
  /** Each destination once, in the order of the rows that led to it. */
  readonly targets: readonly Target[]
}

/** loop: a row leads back to itself · tooDeep: more than CONVERSION_DEPTH_MAX rows in a chain. */
export type ConvertFault = 'loop' | 'tooDeep'

export const CONVERSION_DEPTH_MAX = 32

/**
 * The final envelope addresses of one recipient: exact aliases and accounts first, then sub-domain
 * conversion, with `+detail` cut for the look-up and kept in the address (RFC 5233 §4); forwards of
 * accounts last. Pure; converting a result again leads to the same targets. Header fields are out of reach.
 */
export const convert = (
  address: Address,
  directory: Addressing,
): Outcome<Converted, ConvertFault> => atOnce(converting(address, directory))

/** The same, to be done in slices: a group may have thousands in it. */
export function* converting(
  address: Address,
  directory: Addressing,
): Steps<Outcome<Converted, ConvertFault>> {
  const walked = yield* walking(address, directory)
  return walked.ok ? ok({ targets: walked.value }) : err(walked.error.kind)
}

/** Look-ups by which nobody's mail is sent on: they lead to whoever has the address, or had it. */
export const withoutForwards = (directory: Addressing): Addressing => ({
  account: (id) => directory.account(id),
  alias: (address) => directory.alias(address),
  byAddress: (address) => directory.byAddress(address),
  byFormerAddress: (address) => directory.byFormerAddress(address),
  domain: (name) => directory.domain(name),
  forward: () => undefined,
  listByAddress: (address) => directory.listByAddress(address),
  moment: NO_MOMENT,
  route: (match) => directory.route(match),
})

type Walked = Outcome<
  readonly Target[],
  { readonly kind: ConvertFault; readonly path: readonly Address[] }
>

/** The same, telling the addresses that a fault went through. */
export const walk = (start: Address, directory: Addressing): Walked =>
  atOnce(walking(start, directory))

function* walking(start: Address, directory: Addressing): Steps<Walked> {
  // Most addresses lead to nobody else.
  const first = stepOf(start, directory)
  let last = first
  // And most others to one address which leads to nobody else: that chain is no loop.
  for (let hop = 0; hop < HOPS && last.target === undefined && last.next.length === 1; hop++)
    last = stepOf(last.next[0]!, directory)
  if (last.next.length === 0) return ok(last.target === undefined ? [] : [last.target])
  const targets = new Map<string, Target>()
  const done = new Set<string>() // each address is expanded once, so the work is bounded by the rows
  const path: Address[] = []
  const open = new Set<string>()

  function* visit(address: Address, known?: Step): Steps<ConvertFault | undefined> {
    const key = addressKey(address)
    path.push(address)
    if (open.has(key)) return 'loop'
    if (path.length > CONVERSION_DEPTH_MAX + 1) return 'tooDeep'
    if (!done.has(key)) {
      open.add(key)
      const step = known ?? stepOf(address, directory)
      if (step.target !== undefined) {
        const target = targetKey(step.target)
        if (!targets.has(target)) targets.set(target, step.target)
      }
      for (const next of step.next) {
        const fault = yield* visit(next)
        if (fault !== undefined) return fault
        yield
      }
      open.delete(key)
      done.add(key)
    }
    path.pop()
    return undefined
  }
  const fault = yield* visit(start, first)
  return fault === undefined ? ok([...targets.values()]) : err({ kind: fault, path })
}

/** From a sub-domain by an alias to an account. */
const HOPS = 3

interface Step {
  readonly target?: Target
  readonly next: readonly Address[]
}

function stepOf(address: Address, directory: Addressing): Step {
  const plain = withoutDetail(address)
  // Most addresses have no detail, and are looked up once.
  const find = <T>(look: (form: Address) => T | undefined): T | undefined =>
    look(address) ?? (plain === address ? undefined : look(plain))
  const alias = find((form) => directory.alias(form))
  // A group without members has nobody who could read it.
  if (alias?.to.length === 0) return { target: { address, class: 'unknown' }, next: [] }
  if (alias !== undefined) return { next: alias.to }
  const account =
    find((form) => directory.byAddress(form)) ?? find((form) => formerOwner(form, directory))
  if (account !== undefined) return accountStep(address, account, directory)
  const named = find((form) => directory.listByAddress(form))
  if (named !== undefined && named.list.deletedAt === undefined) {
    const list = { id: named.list.id, purpose: named.purpose }
    return { target: { address, class: 'list', list }, next: [] }
  }
  const domain = directory.domain(address.domain)
  if (domain === undefined) return { target: { address, class: 'remote' }, next: [] }
  if (domain.convertTo !== undefined)
    return { next: [{ localpart: address.localpart, domain: domain.convertTo }] }
  const elsewhere =
    find((form) => directory.route(addressKey(form))) ?? directory.route(address.domain)
  const relayed = elsewhere !== undefined && elsewhere.nextHop.kind !== 'local'
  return { target: { address, class: relayed ? 'relay' : 'unknown' }, next: [] }
}

/** Whose main address it was, while mail to it still arrives. */
function formerOwner(address: Address, directory: Addressing): Account | undefined {
  const owner = directory.byFormerAddress(address)
  return owner !== undefined && isKept(owner.former, directory.moment) ? owner.account : undefined
}

function accountStep(address: Address, account: Account, directory: Addressing): Step {
  const { moment } = directory
  if (!takesMail(account, moment)) {
    const sentOn = forwardAfter(account, moment)
    return sentOn === undefined
      ? { target: { address, class: 'unknown' }, next: [] }
      : { next: sentOn }
  }
  const target: Target = { address, class: 'local', accountId: account.id }
  const forward = directory.forward(account.id)
  if (forward === undefined || forward.to.length === 0) return { target, next: [] }
  return forward.keep ? { target, next: forward.to } : { next: forward.to }
}

/** One copy an account and detail, however many of its addresses lead there. */
function targetKey(target: Target): string {
  // What comes behind the plus of a list is a mark of ours.
  if (target.list?.purpose === 'post') return `list ${target.list.id}`
  if (target.accountId === undefined) return `address ${addressKey(target.address)}`
  const plus = target.address.localpart.indexOf('+')
  const detail = plus <= 0 ? '' : target.address.localpart.slice(plus)
  return `account ${target.accountId} ${detail}`
}
