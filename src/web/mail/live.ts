import type { MailClient } from './client.ts'
import { isAway } from './client.ts'
import { Observed } from './observed.ts'

const PING_SECONDS = 30
const SILENCE_MS = 75_000
const AGAIN_MS_MIN = 1_000
const AGAIN_MS_MAX = 30_000

/**
 * Hears of changes by an event stream and has them fetched, one fetch at a time. A stream that ends
 * is opened again, and what it may have missed is fetched.
 */
export class Live extends Observed {
  readonly #client: MailClient
  readonly #sync: () => Promise<void>
  #stream: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #againMs = AGAIN_MS_MIN
  #isSyncing = false
  #isStale = false
  #isLive = true

  constructor(client: MailClient, sync: () => Promise<void>) {
    super()
    this.#client = client
    this.#sync = sync
  }

  get isLive(): boolean {
    return this.#isLive
  }

  start(): void {
    this.stop()
    // A stream may seem to go on for a while when nobody answers any more.
    this.#client.onAway(() => this.#isLive && this.#lost())
    const stream = new EventSource(
      `/jmap/eventsource?types=Email,Mailbox,Quota&closeafter=no&ping=${PING_SECONDS}`,
    )
    this.#stream = stream
    const heard = (): void => {
      this.#againMs = AGAIN_MS_MIN
      clearTimeout(this.#silence)
      this.#silence = setTimeout(() => this.#lost(), SILENCE_MS)
      this.#say(true)
    }
    stream.addEventListener('open', () => {
      heard()
      this.wake()
    })
    stream.addEventListener('ping', heard)
    stream.addEventListener('state', () => {
      heard()
      this.wake()
    })
    stream.addEventListener('error', () => this.#lost())
  }

  stop(): void {
    this.#stream?.close()
    this.#stream = undefined
    clearTimeout(this.#timer)
    clearTimeout(this.#silence)
  }

  /** Something has changed: it is fetched now, or after the fetch that runs. */
  wake(): void {
    this.#isStale = true
    if (this.#isSyncing) return
    void this.#run()
  }

  async #run(): Promise<void> {
    this.#isSyncing = true
    while (this.#isStale) {
      this.#isStale = false
      try {
        await this.#sync()
        this.#say(true)
      } catch (thrown) {
        if (isAway(thrown)) this.#lost()
      }
    }
    this.#isSyncing = false
  }

  /** EventSource gives up for good on any answer that is no stream: we do not. */
  #lost(): void {
    this.stop()
    this.#say(false)
    this.#timer = setTimeout(() => void this.#again(), this.#againMs)
    this.#againMs = Math.min(this.#againMs * 2, AGAIN_MS_MAX)
  }

  async #again(): Promise<void> {
    try {
      // An ended login answers here, and is told to whoever shows the login.
      await this.#client.once([['Mailbox/get', { ids: [] }, '0']])
      this.start()
    } catch (thrown) {
      if (isAway(thrown)) this.#lost()
    }
  }

  #say(isLive: boolean): void {
    if (this.#isLive === isLive) return
    this.#isLive = isLive
    this.changed()
  }
}
