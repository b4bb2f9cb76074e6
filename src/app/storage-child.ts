import { mkdirSync } from 'node:fs'
import { Socket } from 'node:net'
import { armFailpoints } from '#base/failpoint.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { SECOND_MS, shiftSystemClock, sleep, systemClock } from '#base/time.ts'
import { ioFault } from '#store/db/fault.ts'
import { lockVolume } from '#store/db/lock.ts'
import { putBy } from '#store/db/spare.ts'
import { restAfterWork } from './rest.ts'
import { isStorageKind, KINDS } from './storage/kinds.ts'
import type { StorageKind, StorageOptions } from './storage/kinds.ts'
import { LongMessages } from './storage/long-call.ts'
import { failureOf } from './storage/messages.ts'
import type { ToChild, ToParent } from './storage/messages.ts'
import { pipeOver } from './storage/pipe.ts'
import type { PipeEnd } from './storage/pipe.ts'
import { openProbe } from './storage/probe.ts'
import { serveCall } from './storage/serve.ts'
import type { Services } from './storage/serve.ts'

/*
 * storage-child.ts KIND DIR [OPTIONS as JSON]
 *
 * The only process that opens the data disk. It is started by a role, speaks with it over
 * descriptor 3, has no other connection to the world, and ends when that pipe does.
 */

const PIPE_FD = 3
const LOCK_RETRY_MS = 250
/** Enough for a new segment, a WAL and some hundred changes of flags. */
const SPARE_BYTES = 8 * 1024 * 1024
const CLOSE_MS_MAX = 2 * SECOND_MS

/** Waits for as long as another process holds the folder, saying so. */
async function lock(dir: string, tell: (message: ToParent) => void): Promise<void> {
  for (;;) {
    try {
      lockVolume(dir)
      return
    } catch (thrown) {
      if (!isFault(thrown, 'locked')) throw thrown
      tell(['locked', thrown.message])
      await sleep(systemClock, LOCK_RETRY_MS)
    }
  }
}

/** The process's life: lock, open, serve, close. */
class StorageProcess {
  readonly #pipe: PipeEnd
  readonly #long = new LongMessages()
  #services: Services = {}
  #told: (thrown: unknown) => unknown = (thrown) => thrown
  #close: () => Promise<void> = () => Promise.resolve()
  #rowsChanged: () => number = () => 0
  #rowsTold = 0
  #isEnding = false

  constructor() {
    const pipe = pipeOver(new Socket({ fd: PIPE_FD, readable: true, writable: true }), {
      onValue: (value) => this.#take(value as ToChild),
      onEnd: () => void this.#end(),
    })
    this.#pipe = { ...pipe, send: (value) => this.#send(pipe, value) }
  }

  /**
   * Nobody hears of a change, by whatever made it, before being told that what was answered earlier may be
   * so no more: readers may remember answers.
   */
  #send(pipe: PipeEnd, value: unknown): void {
    const rows = this.#isEnding ? this.#rowsTold : this.#rowsChanged()
    if (rows !== this.#rowsTold) pipe.send(['notice', 'written', undefined] satisfies ToParent)
    this.#rowsTold = rows
    pipe.send(value)
  }

  async run(kind: StorageKind, dir: string, options: StorageOptions): Promise<void> {
    const tell = (message: ToParent): void => this.#pipe.send(message)
    try {
      try {
        mkdirSync(dir, { recursive: true, mode: 0o700 })
      } catch (thrown) {
        throw ioFault(thrown, dir)
      }
      await lock(dir, tell)
      putBy(dir, SPARE_BYTES)
      const notify = (topic: string, payload: unknown): void => tell(['notice', topic, payload])
      const opened = await KINDS[kind]({ dir, clock: systemClock, options, notify })
      this.#close = () => opened.close()
      this.#told = opened.told
      this.#rowsChanged = opened.rowsChanged
      this.#services = { ...opened.services, storage: await openProbe(dir, opened) }
      tell(['ready'])
    } catch (thrown) {
      process.stderr.write(`${oneLine(messageOf(thrown))}\n`)
      tell(['fatal', failureOf(thrown)])
      this.#pipe.flush()
      setImmediate(() => process.exit(1))
    }
  }

  #take(message: ToChild): void {
    if (message[0] === 'close') return void this.#end()
    const own = { pipe: this.#pipe, told: this.#told, long: this.#long }
    void serveCall(message, this.#services, own)
  }

  /** Nobody waits for this end: what is durable is durable, and what is not was not promised. */
  async #end(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    setTimeout(() => process.exit(0), CLOSE_MS_MAX)
    await this.#close().catch((thrown: unknown) =>
      process.stderr.write(`close: ${oneLine(messageOf(thrown))}\n`),
    )
    this.#pipe.flush()
    setImmediate(() => process.exit(0))
  }
}

function main(args: readonly string[]): void {
  const [kind, dir, options] = args
  if (kind === undefined || dir === undefined || !isStorageKind(kind)) {
    process.stderr.write(`usage: storage-child ${Object.keys(KINDS).join('|')} DIR [OPTIONS]\n`)
    process.exit(1)
  }
  armFailpoints(process.env['WATARI_FAILPOINTS'] ?? '')
  restAfterWork()
  shiftSystemClock(Number(process.env['WATARI_CLOCK_OFFSET_MS'] ?? 0))
  process.title = `watari storage ${kind}`
  process.on('SIGINT', () => undefined) // of the terminal's group; the role says when
  void new StorageProcess().run(kind, dir, JSON.parse(options ?? '{}') as StorageOptions)
}

// Else only loaded, for the compile cache.
if (process.env['WATARI_WARM'] === undefined) main(process.argv.slice(2))
