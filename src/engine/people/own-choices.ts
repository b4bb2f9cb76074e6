import { createHash } from 'node:crypto'
import { randomId } from '#base/id.ts'
import { isFault, ok } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import type { OwnActBody, OwnEnd } from '#contract/admin/choices.ts'
import { scriptFault } from '#engine/choices/chosen-script.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId, Forward } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import { equalAddress, formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { choicesFault } from '#model/choices-fault.ts'
import { AWAITED_MAX } from '#model/choice-limits.ts'
import { noChoices, withParts } from '#model/choices.ts'
import type { AwaitedProof, Choices } from '#model/choices.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import type { ChangeAuthor } from '#store/directory/directory-log.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Settings } from '#store/settings/table.ts'
import { readPatch } from './choices-patch.ts'
import { withOwnAddress, withoutOwnAddress } from './own-address.ts'
import { MailsOfCodes, proofMail } from './proof-mail.ts'

/** How long a code that was mailed can be given back. */
const PROOF_MS = 3 * DAY_MS
/** Sixty bits: nobody guesses one in three days, however often he asks. */
const CODE_LENGTH = 12

interface OwnChoicesParts {
  readonly directory: Pick<DirectoryMaster, 'directory' | 'update'>
  readonly settings: () => Settings
  /** Durable when it resolves; throws a Fault where nobody takes it. */
  readonly send: (mail: {
    readonly id: string
    readonly to: Address
    readonly octets: Octets
  }) => Promise<void>
}

/** An account with what hangs on it, as it stands when it is a change's turn. */
interface Own {
  readonly account: Account
  readonly choices: Choices
  readonly forward: Forward | undefined
  readonly directory: Directory
}
type Changed = Partial<Pick<Own, 'account' | 'choices'>> & { readonly forward?: Forward | null }

/** What people do with their own choices, by the rules of the settings: control's, who writes the directory. */
export class OwnChoices {
  readonly #parts: OwnChoicesParts
  readonly #mails = new MailsOfCodes()

  constructor(parts: OwnChoicesParts) {
    this.#parts = parts
  }

  /** Throws a Fault where the directory cannot be written now. */
  async act(accountId: AccountId, act: OwnActBody, from: string): Promise<OwnEnd> {
    const by = (account: Account): ChangeAuthor => ({ who: account.username, from })
    switch (act.kind) {
      case 'set': {
        const patch = readPatch(act.patch)
        if (!patch.ok) return invalid(patch.error)
        return this.#change(accountId, by, ({ choices, directory }) => {
          if (act.revision !== undefined && act.revision !== choices.revision)
            return { end: 'stale', message: 'your choices have changed since they were shown' }
          const after = withParts(choices, patch.value)
          const fault = choicesFault(after) ?? scriptFault(directory, after)
          return fault === undefined ? { choices: after } : invalid(fault)
        })
      }
      case 'forward':
        return this.#forward(accountId, by, act)
      case 'ask': {
        const address = parseAddress(act.address)
        if (!address.ok) return invalid(`${act.address} is no address`)
        return this.#ask(accountId, by, { use: act.use, addresses: [address.value] })
      }
      case 'prove':
        return this.#change(accountId, by, (own) => this.#proved(own, act.code))
      case 'forget':
        return this.#change(accountId, by, (own) => forgotten(own, act.address))
      case 'address': {
        const [address, instead] = [act.address, act.instead].map(ownAddress)
        if (address === undefined) return invalid(`${act.address} is no address`)
        return this.#change(accountId, by, (own) =>
          withOwnAddress(own, { address, instead }, this.#rules(own)),
        )
      }
      case 'dropAddress': {
        const address = ownAddress(act.address)
        if (address === undefined) return invalid(`${act.address} is no address`)
        return this.#change(accountId, by, (own) =>
          withoutOwnAddress(own, address, own.directory.moment),
        )
      }
    }
  }

  #rules({ directory }: Own) {
    return { rules: this.#parts.settings(), moment: directory.moment }
  }

  /** Where it leads is kept at once for what is ours or was proved; others are written to first. */
  async #forward(
    accountId: AccountId,
    by: (account: Account) => ChangeAuthor,
    act: Extract<OwnActBody, { kind: 'forward' }>,
  ): Promise<OwnEnd> {
    const to: Address[] = []
    for (const text of act.to) {
      const address = parseAddress(text)
      if (!address.ok) return invalid(`${text} is no address`)
      if (!to.some((each) => equalAddress(each, address.value))) to.push(address.value)
    }
    let unproved: readonly Address[] = []
    const done = await this.#change(accountId, by, (own) => {
      const refused = this.#mayForward(own, to)
      if (refused !== undefined) return refused
      const sure = to.filter((each) => isSure(own, each))
      const waits = to.filter((each) => !isSure(own, each))
      // Who was written to has the code: it is not sent again for another change.
      const awaited = stillAwaited(own.choices, own.directory.moment.nowMs)
      unproved = waits.filter((each) => !awaited.some(({ address }) => equalAddress(address, each)))
      const forward = sure.length === 0 ? null : { accountId, to: sure, keep: act.keep }
      return { forward, choices: waitingFor(own.choices, waits) }
    })
    if (done.end !== 'done' || unproved.length === 0) return done
    return this.#ask(accountId, by, { use: 'forward', addresses: unproved, keep: act.keep })
  }

  #mayForward(own: Own, to: readonly Address[]): OwnEnd | undefined {
    const policy = this.#parts.settings()['forwarding.policy']
    const known = own.forward?.to ?? []
    for (const address of to) {
      const text = formatAddress(address)
      if (own.directory.byAddress(address)?.id === own.account.id)
        return { end: 'loop', message: `${text} is your own address` }
      // What is set already may stay, whatever the policy has become.
      if (known.some((each) => equalAddress(each, address))) continue
      if (policy === 'none' || (policy === 'domain' && !isOurs(own.directory, address)))
        return { end: 'policy', message: `mail may not be forwarded to ${text}` }
    }
    return undefined
  }

  /** Writes to these addresses; each has a code of its own, which is known nowhere else. */
  async #ask(
    accountId: AccountId,
    by: (account: Account) => ChangeAuthor,
    ask: {
      readonly use: 'forward' | 'contact'
      readonly addresses: readonly Address[]
      readonly keep?: boolean
    },
  ): Promise<OwnEnd> {
    const { use, addresses, keep } = ask
    const { nowMs } = this.#parts.directory.directory.moment
    if (!this.#mails.mayBeSent(accountId, addresses.length, nowMs))
      return { end: 'tooOften', message: 'too many mails with codes today: try again tomorrow' }
    const codes = addresses.map((address) => ({ address, code: randomId(CODE_LENGTH) }))
    let owner = ''
    const done = await this.#change(accountId, by, (own) => {
      owner = formatAddress(mainAddressOf(own.account))
      const refused =
        use === 'forward' ? this.#mayForward(own, addresses) : ownFault(own, addresses)
      if (refused !== undefined) return refused
      const expiresAt = new Date(nowMs + PROOF_MS).toISOString()
      const others = stillAwaited(own.choices, nowMs).filter(
        (each) => !addresses.some((address) => equalAddress(address, each.address)),
      )
      const awaited = [
        ...others,
        ...codes.map(({ address, code }): AwaitedProof => ({
          address,
          use,
          codeHash: hashOf(code),
          expiresAt,
          ...(keep === false && { keep }),
        })),
      ]
      if (awaited.length > AWAITED_MAX)
        return { end: 'limit', message: `${AWAITED_MAX} addresses wait for their code at most` }
      return { choices: grown(own.choices, { awaited }) }
    })
    if (done.end !== 'done') return done
    for (const { address, code } of codes) {
      const octets = proofMail({ to: address, owner, code, use, nowMs })
      try {
        await this.#parts.send({ id: `proof-${hashOf(code).slice(0, 32)}`, to: address, octets })
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        return {
          end: 'unsent',
          message: 'the mail with the code cannot be sent now: ask again later',
        }
      }
    }
    return done
  }

  #proved(own: Own, given: string): Changed | OwnEnd {
    const { choices, account, forward, directory } = own
    const { nowMs } = directory.moment
    const codeHash = hashOf(codeOf(given))
    const awaited = stillAwaited(choices, nowMs)
    const found = awaited.find((each) => each.codeHash === codeHash)
    if (found === undefined)
      return { end: 'wrongCode', message: 'no code that was sent and is still valid is like this' }
    const { address } = found
    const left = awaited.filter((each) => each !== found)
    const others = (choices.proved ?? []).filter((each) => !equalAddress(each.address, address))
    const after = grown(choices, {
      awaited: left,
      proved: [...others, { address, at: new Date(nowMs).toISOString() }],
      ...(found.use === 'contact' && { contact: address }),
    })
    if (found.use === 'contact') return { choices: after }
    const refused = this.#mayForward(own, [address])
    if (refused !== undefined) return refused
    const before = (forward?.to ?? []).filter((each) => !equalAddress(each, address))
    const keep = forward?.keep ?? found.keep ?? true
    return { choices: after, forward: { accountId: account.id, to: [...before, address], keep } }
  }

  async #change(
    accountId: AccountId,
    by: (account: Account) => ChangeAuthor,
    make: (own: Own) => Changed | OwnEnd,
  ): Promise<OwnEnd> {
    const { directory } = this.#parts
    const known = directory.directory.account(accountId)
    if (known === undefined) return GONE
    let end: OwnEnd = { end: 'done' }
    const done = await directory.update((now) => {
      const account = now.account(accountId)
      if (account === undefined || !mayLogIn(account, now.moment)) {
        end = GONE
        return ok([])
      }
      const choices = now.choices(accountId) ?? noChoices(accountId)
      const forward = now.forward(accountId)
      const made = make({ account, choices, forward, directory: now })
      end = 'end' in made ? made : { end: 'done' }
      return ok('end' in made ? [] : editsOf({ account, choices, forward }, made))
    }, by(known))
    return done.ok ? end : endOf(done.error)
  }
}

const GONE: OwnEnd = { end: 'notFound', message: 'there is no such account any more' }
const invalid = (message: string): OwnEnd => ({ end: 'invalid', message })

const ownAddress = (text: string | undefined): Address | undefined => {
  const parsed = parseAddress((text ?? '').normalize('NFKC').trim().toLowerCase())
  return parsed.ok ? parsed.value : undefined
}

/** As it is typed by people: blanks and hyphens say nothing, and O is 0 (Crockford). */
const codeOf = (given: string): string =>
  given
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')

const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex')

const isOurs = (directory: Directory, { domain }: Address): boolean =>
  directory.domain(domain) !== undefined

const isSure = ({ choices, directory, forward }: Own, address: Address): boolean =>
  isOurs(directory, address) ||
  (choices.proved ?? []).some((each) => equalAddress(each.address, address)) ||
  // An administrator, or the person before there were such proofs, has set it.
  (forward?.to ?? []).some((each) => equalAddress(each, address))

const stillAwaited = ({ awaited = [] }: Choices, nowMs: number): readonly AwaitedProof[] =>
  awaited.filter(({ expiresAt }) => Date.parse(expiresAt) > nowMs)

/** Who takes an address off the list waits for it no more. */
function waitingFor(choices: Choices, unproved: readonly Address[]): Choices {
  const { awaited = [] } = choices
  const left = awaited.filter(
    ({ use, address }) => use !== 'forward' || unproved.some((each) => equalAddress(each, address)),
  )
  return left.length === awaited.length ? choices : grown(choices, { awaited: left })
}

function ownFault({ directory }: Own, addresses: readonly Address[]): OwnEnd | undefined {
  const own = addresses.find((each) => isOurs(directory, each))
  return own && invalid(`${formatAddress(own)} is here: give an address elsewhere`)
}

function forgotten(own: Own, text: string): Changed | OwnEnd {
  const parsed = parseAddress(text)
  const { choices, forward } = own
  const { awaited = [], proved = [], contact } = choices
  const isOther = ({ address }: { readonly address: Address }): boolean =>
    !parsed.ok || !equalAddress(address, parsed.value)
  const [waits, known] = [awaited.filter(isOther), proved.filter(isOther)]
  if (waits.length + known.length === awaited.length + proved.length)
    return { end: 'notFound', message: `${text} is not among them` }
  const { contact: _, ...rest } = choices
  const isContact = contact !== undefined && !isOther({ address: contact })
  const to = forward?.to.filter((address) => isOther({ address })) ?? []
  return {
    choices: grown(isContact ? rest : choices, { awaited: waits, proved: known }),
    ...(forward !== undefined &&
      to.length < forward.to.length && { forward: to.length === 0 ? null : { ...forward, to } }),
  }
}

/** With the next revision; lists that are empty are not kept. */
function grown(
  choices: Omit<Choices, 'revision'> & Partial<Choices>,
  change: Partial<Choices>,
): Choices {
  const all = { ...choices, ...change, revision: (choices.revision ?? 0) + 1 }
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => !Array.isArray(value) || value.length > 0),
  ) as unknown as Choices
}

function editsOf(before: Omit<Own, 'directory'>, after: Changed): DirectoryEdit[] {
  const edits: DirectoryEdit[] = []
  const { account, choices, forward } = after
  if (account !== undefined && account !== before.account)
    edits.push({ kind: 'put', row: { kind: 'account', account } })
  if (choices !== undefined && choices !== before.choices) {
    const revision = before.choices.revision + 1
    edits.push({ kind: 'put', row: { kind: 'choices', choices: { ...choices, revision } } })
  }
  if (forward === null && before.forward !== undefined)
    edits.push({ kind: 'remove', key: `forward:${before.account.id}` })
  if (forward !== null && forward !== undefined)
    edits.push({ kind: 'put', row: { kind: 'forward', forward } })
  return edits
}

/** A refusal of the directory in the words of these choices. */
function endOf({ code, message }: DirectoryRefusal): OwnEnd {
  if (/circle|conversions in a chain/.test(message)) return { end: 'loop', message }
  if (code === 'conflict') return { end: 'taken', message: 'this address is not free' }
  return { end: code === 'limit' ? 'limit' : 'invalid', message }
}
