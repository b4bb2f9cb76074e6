import i18next from 'i18next'

import { EMPTY_LETTER, readPeople } from './answering.ts'
import type { Letter } from './answering.ts'
import { answerTo, isAway, MailFailure } from './client.ts'
import type { Desk } from './desk.ts'
import { Observed } from './observed.ts'
import type { Person } from './nouns.ts'

/** A letter in the window, and where it is kept. */
export interface Open extends Letter {
  readonly bcc: string
  readonly identityId: string
  /** The same over all its drafts, so that a thread and a reader see one message. */
  readonly messageId: string
  /** The email that holds what was saved last. */
  readonly draftId?: string
}

export type SaveState = 'none' | 'typing' | 'saving' | 'saved' | 'unsaved'
export type Objection = 'nobody' | 'strange' | 'noMailbox'

const KEPT = 'watari.letter'
const SAVE_AFTER_MS = 1_500
const SAVE_AGAIN_MS = 5_000
/** Before this, sending can be taken back. */
export const SEND_AFTER_MS = 8_000

/** The letter that is being written: kept in this tab at once and as a draft soon, until it is sent. */
export class Letters extends Observed {
  readonly #desk: Desk
  #open: Open | undefined
  #state: SaveState = 'none'
  #timer: ReturnType<typeof setTimeout> | undefined
  #saving: Promise<unknown> = Promise.resolve()
  /** Counts what was typed: what is saved may be older by then. */
  #edition = 0
  #saved = 0
  /** Waits for its seconds, to be sent. */
  #sending: { readonly letter: Open; readonly timer: ReturnType<typeof setTimeout> } | undefined

  constructor(desk: Desk) {
    super()
    this.#desk = desk
  }

  get open(): Open | undefined {
    return this.#open
  }
  get state(): SaveState {
    return this.#state
  }
  /** Whether something would be lost, or stay unsent, if the page went now. */
  get isBusy(): boolean {
    return this.#sending !== undefined || this.#saved !== this.#edition
  }

  /** What was being written when the page was left or loaded anew. */
  restore(): void {
    const text = sessionStorage.getItem(KEPT)
    if (text === null) return
    try {
      const { letter, accountId } = JSON.parse(text) as { letter: Open; accountId: string }
      if (accountId !== this.#desk.client.accountId) return sessionStorage.removeItem(KEPT)
      this.#open = letter
      this.#touched()
    } catch {
      sessionStorage.removeItem(KEPT)
    }
  }

  /** Begins a letter; one that is open already is kept as its draft. */
  begin(letter: Letter = EMPTY_LETTER, draft?: Pick<Open, 'bcc' | 'messageId' | 'draftId'>): void {
    if (this.#open !== undefined) void this.#save()
    const [identity] = this.#desk.identities
    const domain = identity?.email.split('@').at(-1) ?? 'localhost'
    this.#open = {
      ...letter,
      bcc: '',
      identityId: identity?.id ?? '',
      messageId: `${crypto.randomUUID()}@${domain}`,
      ...draft,
    }
    this.#state = draft === undefined ? 'none' : 'saved'
    this.#edition++
    this.#saved = this.#edition
    this.#keep()
    this.changed()
  }

  change(change: Partial<Open>): void {
    if (this.#open === undefined) return
    this.#open = { ...this.#open, ...change }
    this.#touched()
  }

  /** Closes the window; what was written is in Drafts. */
  close(): void {
    const isSaved = this.#saved === this.#edition
    const done = isSaved ? Promise.resolve(true) : this.#save()
    const letter = this.#open
    void done.then((isKept) => {
      if (!isKept) return // it stays open, and says so
      if (this.#open?.messageId === letter?.messageId) this.#shut()
      if (letter !== undefined && !isSaved) this.#desk.telling.tell(i18next.t('told.kept'))
    })
  }

  /** Throws the letter away; can be undone. */
  discard(): void {
    const letter = this.#open
    if (letter === undefined) return
    this.#shut()
    const gone = this.#saving.then(() => this.#destroy(this.#draftOf(letter)))
    this.#desk.telling.tell(i18next.t('told.discarded'), {
      undo: () => {
        void gone.then(() => {
          const { draftId: _, ...rest } = letter
          this.#open = rest
          this.#touched()
        })
      },
    })
  }

  /** Why the letter cannot be sent; undefined where it can. */
  objection(): { readonly kind: Objection; readonly names: string } | undefined {
    const { to = '', cc = '', bcc = '' } = this.#open ?? {}
    const read = [to, cc, bcc].map(readPeople)
    const strange = read.flatMap((each) => each.strange)
    if (strange.length > 0) return { kind: 'strange', names: strange.join(', ') }
    if (read.every(({ people }) => people.length === 0)) return { kind: 'nobody', names: '' }
    if (this.#desk.byRole('drafts') === undefined) return { kind: 'noMailbox', names: '' }
    return undefined
  }

  /** Sends it after the seconds in which it can be taken back. */
  send(): void {
    if (this.#open === undefined || this.#sending !== undefined) return
    clearTimeout(this.#timer)
    const letter = this.#open
    // Loaded anew within these seconds it is open again, and not sent.
    this.#open = undefined
    const timer = setTimeout(() => void this.#submit(), SEND_AFTER_MS)
    this.#sending = { letter, timer }
    this.#desk.telling.tell(i18next.t('told.sending'), {
      ms: SEND_AFTER_MS,
      undo: () => this.#takeBack(),
    })
    this.changed()
  }

  #takeBack(): void {
    if (this.#sending === undefined) return
    const { letter, timer } = this.#sending
    clearTimeout(timer)
    this.#sending = undefined
    this.#reopen(letter)
  }

  #reopen(letter: Open): void {
    if (this.#open !== undefined) void this.#save()
    this.#open = { ...letter, ...this.#draftIdOf(letter) }
    this.#touched()
  }

  async #submit(): Promise<void> {
    const { letter } = this.#sending!
    const { telling } = this.#desk
    telling.tell(i18next.t('told.sendingNow'), { ms: 120_000 })
    try {
      const emailId = await this.#file(letter)
      await this.#handOver(letter, emailId)
      this.#sending = undefined
      this.#forget(letter)
      telling.tell(i18next.t('told.sent'))
      const { answers } = letter
      if (answers !== undefined) void this.#desk.mark([answers.id], '$answered', true)
    } catch (thrown) {
      this.#sending = undefined
      this.#reopen(letter)
      const key = isAway(thrown) ? 'told.notSentAway' : 'told.notSent'
      const why = thrown instanceof MailFailure ? thrown.message : ''
      telling.tell(i18next.t(key, { why: i18next.t(`unsent.${why}`, { defaultValue: '' }) }), {
        isTrouble: true,
      })
    }
    this.changed()
  }

  /** Once. Where the answer is lost, the mailbox that the email lies in tells whether it was sent. */
  async #handOver(letter: Open, emailId: string): Promise<void> {
    const sent = this.#desk.byRole('sent')
    const filed = {
      ...(sent !== undefined && { mailboxIds: { [sent.id]: true } }),
      'keywords/$draft': null,
      'keywords/$seen': true,
    }
    const create = { s: { identityId: letter.identityId, emailId } }
    try {
      const answer = answerTo(
        await this.#desk.client.once([
          ['EmailSubmission/set', { create, onSuccessUpdateEmail: { '#s': filed } }, 'send'],
        ]),
        'send',
      )
      const refused = (answer['notCreated'] as Record<string, { type: string }> | null)?.['s']
      if (refused !== undefined) throw new MailFailure('refused', refused.type)
    } catch (thrown) {
      if (!isAway(thrown) || sent === undefined) throw thrown
      const found = await this.#desk.client.call('Email/get', {
        ids: [emailId],
        properties: ['mailboxIds'],
      })
      const [email] = found['list'] as { mailboxIds: Record<string, true> }[]
      if (email?.mailboxIds[sent.id] !== true) throw thrown
    }
  }

  #touched(): void {
    this.#edition++
    this.#state = 'typing'
    this.#keep()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#save(), SAVE_AFTER_MS)
    this.changed()
  }

  /** In this tab, at once: a page that is loaded anew begins with it. */
  #keep(): void {
    if (this.#open === undefined) return sessionStorage.removeItem(KEPT)
    const { accountId } = this.#desk.client
    sessionStorage.setItem(KEPT, JSON.stringify({ letter: this.#open, accountId }))
  }

  #shut(): void {
    clearTimeout(this.#timer)
    this.#open = undefined
    this.#saved = this.#edition
    this.#keep()
    this.changed()
  }

  #forget(letter: Open): void {
    this.#drafts.delete(letter.messageId)
    if (this.#open === undefined) {
      this.#saved = this.#edition
      this.#keep()
    }
  }

  /** Resolves with whether it is a draft now. */
  async #save(): Promise<boolean> {
    clearTimeout(this.#timer)
    const letter = this.#open
    if (letter === undefined) return true
    const edition = this.#edition
    this.#state = 'saving'
    this.changed()
    try {
      await this.#file(letter)
      this.#saved = Math.max(this.#saved, edition)
      if (this.#edition === edition) this.#state = 'saved'
      return true
    } catch {
      this.#state = 'unsaved'
      this.#timer = setTimeout(() => void this.#save(), SAVE_AGAIN_MS)
      return false
    } finally {
      this.changed()
    }
  }

  /** Where each letter of this page was saved last. */
  readonly #drafts = new Map<string, string>()

  #draftOf(letter: Open): string | undefined {
    return this.#drafts.get(letter.messageId) ?? letter.draftId
  }
  #draftIdOf(letter: Open): { readonly draftId?: string } {
    const draftId = this.#draftOf(letter)
    return draftId === undefined ? {} : { draftId }
  }

  /** Files the letter as a draft in the place of the one before; one after the other. */
  #file(letter: Open): Promise<string> {
    const filed = this.#saving.then(async () => {
      const before = this.#draftOf(letter)
      const answer = await this.#desk.client.call('Email/set', {
        create: { d: this.#properties(letter) },
      })
      const id = (answer['created'] as Record<string, { id: string }> | null)?.['d']?.id
      if (id === undefined) {
        const refused = (answer['notCreated'] as Record<string, { type: string }> | null)?.['d']
        throw new MailFailure('refused', refused?.type ?? 'refused')
      }
      this.#drafts.set(letter.messageId, id)
      if (this.#open?.messageId === letter.messageId) {
        this.#open = { ...this.#open, draftId: id }
        this.#keep()
      }
      await this.#destroy(before)
      return id
    })
    this.#saving = filed.catch(() => undefined)
    return filed
  }

  /** The old one goes only after the new one is there. That it is gone already is no trouble. */
  async #destroy(draftId: string | undefined): Promise<void> {
    if (draftId === undefined) return
    await this.#desk.client.call('Email/set', { destroy: [draftId] }).catch(() => undefined)
  }

  #properties(letter: Open): Readonly<Record<string, unknown>> {
    const drafts = this.#desk.byRole('drafts')
    const identity = this.#desk.identities.find(({ id }) => id === letter.identityId)
    const people = (line: string): readonly Person[] => readPeople(line).people
    const { answers } = letter
    return {
      mailboxIds: { [drafts?.id ?? '']: true },
      keywords: { $draft: true, $seen: true },
      from: identity === undefined ? [] : [{ name: identity.name, email: identity.email }],
      to: people(letter.to),
      cc: people(letter.cc),
      bcc: people(letter.bcc),
      subject: letter.subject,
      messageId: [letter.messageId],
      ...(answers !== undefined &&
        answers.messageId.length > 0 && {
          inReplyTo: answers.messageId,
          references: answers.references,
        }),
      bodyValues: { text: { value: letter.text } },
      textBody: [{ partId: 'text', type: 'text/plain' }],
    }
  }
}
