import type { MembershipActBody, MembershipEnd } from '#contract/node/membership.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { isOwner } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { MailboxChange, OutboxEntry } from '#store/mailbox/commit.ts'

import { admission } from './admission.ts'
import { countedAnswer } from './answer-limit.ts'
import { commandOf } from './command.ts'
import type { Command } from './command.ts'
import { endWords, helpWords, questionWords } from './command-words.ts'
import type { CommandEnd } from './command-words.ts'
import { ERRAND_DAYS, errandAddress } from './errand.ts'
import type { Errand, GivenErrand } from './errand.ts'
import { isMark } from './list-key.ts'
import { languageOf } from './language.ts'
import { commitOfList, taken, tellOfMail } from './list-commit.ts'
import type { ListMail } from './list-mail.ts'
import { accountOfAddress } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import { isMemberOf, ownRowsOf } from './membership.ts'
import { noticeAbout } from './notice-entry.ts'
import type { Notice } from './notices.ts'
import { forwardToOwners } from './owner-mail.ts'
import { mayJoin } from './own-membership.ts'
import { whyUnanswerable } from './unanswerable.ts'

/** Who asks: an address, and the person whose it is. */
interface Asker {
  readonly address: Address
  readonly account: Account | undefined
}

/** What becomes of an order, besides the end of the mail that gave it. */
interface Outcome {
  readonly end: string
  /** To whoever asked; absent: nobody hears of it. */
  readonly answer?: Pick<Notice, 'subject' | 'text' | 'replyTo'>
  readonly changes?: readonly MailboxChange[]
  /** To others. */
  readonly outbox?: readonly OutboxEntry[]
}

/**
 * Orders by mail: to `-join`, `-leave`, and to `-request` with a command. In somebody's name nothing is
 * done but by themselves: a login has shown it, or they have answered a question that only they were
 * asked. What no person has written is answered by nobody (RFC 3834 §2). Control changes the directory:
 * where it is away, the mail waits (a Fault).
 */
export async function takeCommand(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
): Promise<void> {
  const work = new CommandWork(parts, list, mail)
  // The address of their own copies' List-Unsubscribe: programs follow it, and whatever fails else.
  if (await work.isOwnLeave()) return work.take('leave', true)
  const why = whyUnanswerable(mail)
  if (why !== undefined) return work.end({ end: why })
  const command = await commandOf(work.store, mail)
  // Whoever writes there in other words writes to people (RFC 2142 §6).
  if (command === undefined) return forwardToOwners(parts, list, mail)
  const { author } = mail
  if (author === undefined || author.standing === 'failed') return work.end({ end: 'unproved' })
  return work.take(command, false)
}

/** The answer to a question of `takeCommand`: of whoever was asked, or of an owner. */
export async function takeErrand(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
  given: GivenErrand,
): Promise<void> {
  const work = new CommandWork(parts, list, mail)
  const why = whyUnanswerable(mail)
  // Its mark says that a person has read our question: what else is thought of the mail is no matter.
  if (why !== undefined && why !== 'spam' && why !== 'machine') return work.end({ end: why })
  if (mail.author === undefined) return work.end({ end: 'unproved' })
  return given.errand === 'j' || given.errand === 'l'
    ? work.confirmed(given, given.errand)
    : work.decided(given)
}

class CommandWork {
  readonly store: ListStore
  readonly #parts: ListParts
  readonly #list: MailingList
  readonly #mail: ListMail
  /** A mark of ours has come back, from whom it was for. */
  #isConfirmed = false

  constructor(parts: ListParts, list: MailingList, mail: ListMail) {
    this.#parts = parts
    this.#list = list
    this.#mail = mail
    this.store = new ListStore(parts.mailboxes, list.id)
  }

  /** Whether it is to the address that its author's own copies of posts name. */
  async isOwnLeave(): Promise<boolean> {
    const { envelope, author } = this.#mail
    const { localpart } = envelope.address
    const at = localpart.indexOf('+')
    if (envelope.purpose !== 'leave' || at < 0 || author === undefined) return false
    const { key } = await this.store.key()
    return isMark(localpart.slice(at + 1), key, 'unsubscribe', addressKey(author.address))
  }

  async take(command: Command, isMarked: boolean): Promise<void> {
    const author = this.#mail.author!
    const asker = this.#askerOf(author.address)
    if (command === 'help') return this.end({ end: 'helped', answer: helpWords(this.#list) }, asker)
    // By a login they surely are who they say; a domain vouches well enough for what can be undone.
    const isSure =
      isMarked ||
      author.accountId !== undefined ||
      (command === 'leave' && author.standing === 'proved')
    const refused = command === 'join' ? this.#notJoining(asker) : this.#notLeaving(asker)
    if (refused !== undefined) return this.#tell(refused, asker)
    if (!isSure) return this.#ask(command === 'join' ? 'j' : 'l', asker)
    return this.#change(command, asker)
  }

  async confirmed(given: GivenErrand, errand: 'j' | 'l'): Promise<void> {
    const { clock } = this.#parts
    const { address } = this.#mail.author!
    const account = this.#account(address)
    // They may answer by another address of theirs than the one they were written to.
    const own = account === undefined ? [] : [mainAddressOf(account), ...account.addresses]
    const checks = [address, ...own].map((each) => ({
      address: each,
      is: given.check(each, clock.nowMs()),
    }))
    const right = checks.find(({ is }) => is !== 'forged')
    if (right === undefined) return this.end({ end: 'forged' })
    this.#isConfirmed = true
    const asker = this.#askerOf(right.address)
    if (right.is === 'expired') return this.#tell('expired', asker)
    const command = errand === 'j' ? 'join' : 'leave'
    const refused = errand === 'j' ? this.#notJoining(asker) : this.#notLeaving(asker)
    return refused === undefined ? this.#change(command, asker) : this.#tell(refused, asker)
  }

  async decided({ errand, member, check }: GivenErrand): Promise<void> {
    const { directory, clock } = this.#parts
    const author = this.#mail.author!
    const owner =
      author.accountId === undefined
        ? this.#account(author.address)
        : directory.account(author.accountId)
    const is = member === undefined ? 'forged' : check(member, clock.nowMs())
    if (member === undefined || is === 'forged') return this.end({ end: 'forged' })
    // The mark alone is not enough: a mail that was forwarded is read by others.
    if (author.standing !== 'proved' || owner === undefined || !isOwner(this.#list, owner.id))
      return this.end({ end: 'notOwner' })
    this.#isConfirmed = true
    const asker = this.#askerOf(member)
    if (is === 'expired') return this.#tell('expired', this.#askerOf(author.address))
    if (errand === 'n') return this.#tell('declined', asker)
    const end = await this.#parts.membership({
      ...this.#act('join', asker),
      by: owner.username,
    })
    return this.#tell(endOf('join', end), asker)
  }

  async #change(command: 'join' | 'leave', asker: Asker): Promise<void> {
    const end = await this.#parts.membership(this.#act(command, asker))
    if (command === 'join' && end === 'approval') return this.#askOwners(asker)
    return this.#tell(endOf(command, end), asker)
  }

  #act(act: 'join' | 'leave', { address, account }: Asker): MembershipActBody {
    return {
      list: this.#list.id,
      who: account === undefined ? { address: formatAddress(address) } : { account: account.id },
      act,
    }
  }

  /** What can be told without control; undefined: it goes on. */
  #notJoining({ account, address }: Asker): CommandEnd | undefined {
    const { directory, clock } = this.#parts
    // Who has a row in it may be out by own wish, and comes back.
    if (ownRowsOf(this.#list.id, account ?? address, directory, clock.nowMs()).length > 0)
      return undefined
    const may = mayJoin(this.#list, account !== undefined)
    if (may !== 'no') return undefined
    return this.#list.subscription === 'domain' ? 'onlyOwn' : 'closed'
  }

  #notLeaving({ account, address }: Asker): CommandEnd | undefined {
    const { directory, clock } = this.#parts
    return isMemberOf(this.#list.id, account ?? address, directory, clock.nowMs())
      ? this.#list.leaving === 'owners'
        ? 'stays'
        : undefined
      : 'notMember'
  }

  async #ask(errand: 'j' | 'l', asker: Asker): Promise<void> {
    const { key, changes } = await this.store.key()
    const answer = this.#errandAddress(key, errand, asker.address)
    const words = { errand, member: asker.address, answer, days: ERRAND_DAYS[errand] }
    return this.end({ end: 'asked', answer: questionWords(this.#list, words), changes }, asker)
  }

  async #askOwners(asker: Asker): Promise<void> {
    const { words, owners, changes } = await admission(
      this.#parts,
      this.#list,
      this.store,
      asker.address,
    )
    const outbox =
      owners.length === 0
        ? []
        : [noticeAbout(this.#parts, this.#list, this.#mail, 'admission', owners, words)]
    return this.end(
      { end: 'approval', answer: endWords(this.#list, 'approval'), changes, outbox },
      asker,
    )
  }

  #errandAddress(key: string, errand: Errand, member: Address): Address {
    return errandAddress(this.#list, key, { errand, member, nowMs: this.#parts.clock.nowMs() })
  }

  #tell(end: CommandEnd, asker: Asker): Promise<void> {
    return this.end({ end, answer: endWords(this.#list, end) }, asker)
  }

  /** Takes the mail away, with all that goes out for it; what exceeds the day's limit is not answered. */
  async end({ end, answer, changes = [], outbox = [] }: Outcome, to?: Asker): Promise<void> {
    const limit =
      answer === undefined || to === undefined
        ? undefined
        : await countedAnswer(this.store, {
            to: to.address,
            isProved: this.#mail.author?.standing === 'proved',
            isConfirmed: this.#isConfirmed,
            today: this.#parts.directory.moment.today,
          })
    const answers =
      limit?.isAllowed === true
        ? [
            noticeAbout(this.#parts, this.#list, this.#mail, 'answer', [to!.address], {
              ...answer!,
              language: languageOf(this.#list, to!.account, this.#mail),
              isAnswer: true,
            }),
          ]
        : []
    await commitOfList(this.#parts, this.#list, {
      changes: [...changes, ...(limit?.changes ?? []), taken(this.#mail)],
      outbox: [...outbox, ...answers],
    })
    tellOfMail(this.#parts, this.#list, this.#mail, 'list.asked', {
      purpose: this.#mail.envelope.purpose,
      end,
      answered: answers.length,
    })
  }

  #askerOf(address: Address): Asker {
    const { accountId } = this.#mail.author ?? {}
    const isAuthors = address === this.#mail.author?.address
    const account =
      isAuthors && accountId !== undefined
        ? this.#parts.directory.account(accountId)
        : this.#account(address)
    return { address, account }
  }

  #account(address: Address): Account | undefined {
    const { directory } = this.#parts
    const id = accountOfAddress(directory, address)
    return id === undefined ? undefined : directory.account(id)
  }
}

/** How control's word is told. */
function endOf(command: 'join' | 'leave', end: MembershipEnd): CommandEnd {
  switch (end) {
    case 'done':
    case 'same':
      return command === 'join' ? 'joined' : 'left'
    case 'approval':
      return 'approval'
    case 'notMember':
      return 'notMember'
    case 'excluded':
      return 'excluded'
    case 'closed':
    case 'group':
    case 'notFound':
    case 'refused':
      return command === 'join' ? 'closed' : 'stays'
  }
}
