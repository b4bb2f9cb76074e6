import type { ChoicesBody, OwnActBody, OwnEnd } from '#contract/admin/choices.ts'

/** A call of a JMAP request: method, arguments, call id. */
export type Invocation = readonly [
  name: string,
  args: Readonly<Record<string, unknown>>,
  callId: string,
]

/** `away`: nobody answers, the same may be asked again. `refused`: it was answered, and is not to be had. */
export type FailureKind = 'away' | 'expired' | 'wrong' | 'slowed' | 'refused'

export class MailFailure extends Error {
  readonly kind: FailureKind
  constructor(kind: FailureKind, message = kind as string) {
    super(message)
    this.kind = kind
  }
}

export const isAway = (thrown: unknown): boolean =>
  thrown instanceof MailFailure && thrown.kind === 'away'

/** Somebody else's account, some of whose mailboxes may be looked up. */
export interface SharedAccount {
  readonly id: string
  readonly name: string
}

/** A password of a single program. */
export interface AppPassword {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly lastUse?: {
    readonly at: string
    readonly ip: string
    readonly protocol: 'imap' | 'pop3' | 'smtp' | 'jmap' | 'sieve' | 'ldap'
  }
}

/** As it is shown, this once. */
export interface NewAppPassword extends AppPassword {
  readonly password: string
}

interface WebSession {
  readonly accountId: string
  readonly csrfToken: string
}

const USING = [
  'urn:ietf:params:jmap:core',
  'urn:ietf:params:jmap:mail',
  'urn:ietf:params:jmap:submission',
  'urn:ietf:params:jmap:quota',
  'https://watari.example/jmap/retention',
  'urn:ietf:params:jmap:sieve',
  'https://watari.example/jmap/sievetrial',
]
const APP_PASSWORDS = '/auth/app-passwords'
/** Where 429 tells of guesses, not of a crowd. */
const SLOWED_PATHS: ReadonlySet<string> = new Set(['/auth/login', APP_PASSWORDS])
/** Somebody who answers later than this is away. */
const ANSWER_MS = 60_000
/** Waits before what was asked of a server that is away is asked again. */
const RETRIES_MS = [300, 1_000, 2_000, 4_000, 8_000, 15_000] as const

/** JMAP of this origin, by the cookie of a web login. Every rejection is a MailFailure. */
export class MailClient {
  #session: WebSession | undefined
  /** Of the Session resource: as it was read last, and as answers tell it. */
  #sessionState = { read: '', told: '' }
  #expired = (): void => undefined
  #away = (): void => undefined

  get accountId(): string {
    return this.#session?.accountId ?? ''
  }

  /** Called when a request finds that the login has ended. */
  onExpired(listener: () => void): void {
    this.#expired = listener
  }

  /** Called when a request finds that nobody answers. */
  onAway(listener: () => void): void {
    this.#away = listener
  }

  /** The login that this browser has already; false where it has none. */
  async resume(): Promise<boolean> {
    const response = await this.#send('/auth/session', { method: 'GET' })
    if (response.status === 401 || response.status === 404) return false
    this.#session = (await bodyOf(response)) as unknown as WebSession
    return true
  }

  /** Logs in; true where somebody else was logged in here before. */
  async login(username: string, password: string): Promise<boolean> {
    const response = await this.#send('/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    if (response.status === 401 || response.status === 400) throw new MailFailure('wrong')
    if (response.status === 429) throw new MailFailure('slowed')
    const before = this.#session?.accountId
    this.#session = (await bodyOf(response)) as unknown as WebSession
    return before !== undefined && before !== this.#session.accountId
  }

  async logout(): Promise<void> {
    await this.#send('/auth/logout', { method: 'POST', headers: this.#token() }).catch(
      () => undefined,
    )
  }

  /** Of single programs; the passwords themselves are not told again. */
  async appPasswords(): Promise<readonly AppPassword[]> {
    const { items } = await this.#ownPasswords('', { method: 'GET' })
    return items as readonly AppPassword[]
  }

  async makeAppPassword(name: string, password: string): Promise<NewAppPassword> {
    const body = JSON.stringify({ name, password })
    return (await this.#ownPasswords('', { method: 'POST', body })) as unknown as NewAppPassword
  }

  async removeAppPassword(id: string): Promise<void> {
    await this.#ownPasswords(`/${encodeURIComponent(id)}`, { method: 'DELETE' })
  }

  /** What this person wants of the own mail, and may want. */
  async choices(): Promise<ChoicesBody> {
    return (await this.#ownChoices({ method: 'GET' })) as unknown as ChoicesBody
  }

  /** Does something with it; answers what came of it. */
  async choose(act: OwnActBody): Promise<OwnEnd> {
    const body = JSON.stringify(act)
    return (await this.#ownChoices({ method: 'POST', body })) as unknown as OwnEnd
  }

  async #ownChoices(init: RequestInit): Promise<Answer> {
    const response = await this.#send('/auth/choices', {
      ...init,
      headers: { 'content-type': 'application/json', ...this.#token() },
    })
    if (response.status === 401) {
      this.#expired()
      throw new MailFailure('expired')
    }
    return bodyOf(response)
  }

  async #ownPasswords(path: string, init: RequestInit): Promise<Answer> {
    const response = await this.#send(`${APP_PASSWORDS}${path}`, {
      ...init,
      headers: { 'content-type': 'application/json', ...this.#token() },
    })
    if (response.status === 422) throw new MailFailure('wrong')
    if (response.status === 429) throw new MailFailure('slowed')
    if (response.status === 401) {
      this.#expired()
      throw new MailFailure('expired')
    }
    return response.status === 204 ? {} : bodyOf(response)
  }

  /** The responses to the calls, whose `accountId` is set here. Asked once: for what must not happen twice. */
  async once(calls: readonly Invocation[]): Promise<readonly Invocation[]> {
    const { accountId } = this
    const session = this.#session
    const response = await this.#send('/jmap/api', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.#token() },
      body: JSON.stringify({
        using: USING,
        methodCalls: calls.map(([name, args, id]) => [name, { accountId, ...args }, id]),
      }),
    })
    // A token of an earlier login is none any more: another tab may have logged in since.
    if (response.status === 401 || response.status === 403) {
      // Asked under an earlier login, answered late: that says nothing of the one that is there now.
      if (session !== this.#session) throw new MailFailure('away')
      this.#expired()
      throw new MailFailure('expired')
    }
    const body = await bodyOf(response)
    this.#sessionState.told = String(body['sessionState'])
    return body['methodResponses'] as readonly Invocation[]
  }

  /** Whether accounts have come or gone since they were asked for. */
  get isSessionStale(): boolean {
    const { read, told } = this.#sessionState
    return told !== '' && read !== told
  }

  /** Accounts that others share with this one (RFC 8620 §2). */
  async sharedAccounts(): Promise<readonly SharedAccount[]> {
    const session = await bodyOf(await this.#send('/jmap/session', { method: 'GET' }))
    const state = String(session['state'])
    this.#sessionState = { read: state, told: state }
    const accounts = session['accounts'] as Record<string, { name: string; isPersonal: boolean }>
    return Object.entries(accounts)
      .filter(([, { isPersonal }]) => !isPersonal)
      .map(([id, { name }]) => ({ id, name }))
  }

  /** As `once`, and again for half a minute where nobody answers: for what may happen twice. */
  async request(calls: readonly Invocation[]): Promise<readonly Invocation[]> {
    for (let attempt = 0; ; attempt++)
      try {
        return await this.once(calls)
      } catch (thrown) {
        const waitMs = RETRIES_MS[attempt]
        if (waitMs === undefined || !isAway(thrown)) throw thrown
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
  }

  /** The arguments of the response to one call. */
  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<Answer> {
    return answerTo(await this.request([[name, args, '0']]), '0')
  }

  /** Keeps a text for a while as a blob (RFC 8620 §6.1); its id. */
  async upload(text: string, type: string): Promise<string> {
    const response = await this.#send(`/jmap/upload/${encodeURIComponent(this.accountId)}`, {
      method: 'POST',
      headers: { 'content-type': type, ...this.#token() },
      body: text,
    })
    return String((await this.#unlessExpired(response))['blobId'])
  }

  /** The text of a blob. */
  async text(blobId: string): Promise<string> {
    const response = await this.#send(this.downloadUrl({ blobId }, 'text', 'text/plain'), {
      method: 'GET',
    })
    if (response.ok) return response.text()
    await this.#unlessExpired(response)
    throw new MailFailure('refused')
  }

  async #unlessExpired(response: Response): Promise<Answer> {
    if (response.status === 401 || response.status === 403) {
      this.#expired()
      throw new MailFailure('expired')
    }
    return bodyOf(response)
  }

  /** The address where a blob is downloaded. */
  downloadUrl(
    blob: { readonly accountId?: string | undefined; readonly blobId: string },
    name: string,
    type: string,
  ): string {
    const safe = /^\.*$/.test(name) ? 'attachment' : name
    const path = [blob.accountId ?? this.accountId, blob.blobId, safe]
      .map(encodeURIComponent)
      .join('/')
    return `/jmap/download/${path}?accept=${encodeURIComponent(type)}`
  }

  #token(): Record<string, string> {
    return { 'x-csrf-token': this.#session?.csrfToken ?? '' }
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const response = await fetch(path, { ...init, signal, credentials: 'same-origin' }).catch(
      () => undefined,
    )
    const isAway =
      response === undefined ||
      response.status >= 500 ||
      (response.status === 429 && !SLOWED_PATHS.has(path))
    if (!isAway) return response
    this.#away()
    throw new MailFailure('away')
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- what JMAP answers is looked at where it is used
export type Answer = Readonly<Record<string, any>>

/** The response with that call id; throws where it is an error. */
export function answerTo(responses: readonly Invocation[], callId: string): Answer {
  const found = responses.find(([, , id]) => id === callId)
  if (found === undefined) throw new MailFailure('refused')
  const [name, args] = found
  if (name !== 'error') return args
  const type = String(args['type'])
  throw new MailFailure(type === 'serverUnavailable' ? 'away' : 'refused', type)
}

async function bodyOf(response: Response): Promise<Answer> {
  if (!response.ok) throw new MailFailure('refused', `HTTP ${response.status}`)
  try {
    return (await response.json()) as Answer
  } catch {
    throw new MailFailure('away')
  }
}
