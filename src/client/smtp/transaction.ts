import { concatOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import type { Reply } from '#model/reply.ts'
import { planMail, rcptLine } from './commands.ts'
import type { Plan } from './commands.ts'
import type { Connection } from './connection.ts'
import { chunkSizes, keepSmall, needsOf, pieces, stuffed } from './content.ts'
import { BLOCK_TIMEOUT_MS, COMMAND_TIMEOUT_MS, DATA_TIMEOUT_MS, FINAL_TIMEOUT_MS } from './job.ts'
import type { ContentSource, DeliverJob, RecipientResult } from './job.ts'

/** Content up to here goes out in one write with its commands, where the peer offers PIPELINING. */
const ONE_WRITE_BYTES_MAX = 256 * 1024

export interface Ended {
  readonly results: readonly RecipientResult[]
  readonly relayedDsn: boolean
  readonly relayedBy: boolean
  /** The connection can carry another transaction. */
  readonly reusable: boolean
  /** What broke the connection; those without a reply by then got a 4xx of our own. */
  readonly fault?: Fault
  /** Whether the peer had said anything at all. */
  readonly answered: boolean
}

/** Carries out one job on a greeted connection. Throws only what reading the content throws. */
export async function transact(
  connection: Connection,
  job: DeliverJob,
  clock: Pick<Clock, 'nowMs'>,
): Promise<Ended> {
  const content = keepSmall(job.content)
  const { offers } = connection
  // Our own stores take any octets: nothing has to be looked through for them.
  const needs =
    offers.has('XWATARI') && offers.has('CHUNKING') && offers.has('BINARYMIME')
      ? undefined
      : await needsOf(content)
  const plan = planMail(job, offers, needs, clock.nowMs())
  const run = new Run(connection, job, content)
  if ('code' in plan) return run.refuseAll(plan)
  return run.carry(plan)
}

type Relayed = Pick<Ended, 'relayedDsn' | 'relayedBy'>

class Run {
  readonly #connection: Connection
  readonly #job: DeliverJob
  readonly #content: ContentSource
  readonly #results: (RecipientResult | undefined)[]
  #answered = false
  #reusable = true
  #open = false // MAIL was taken and nothing has ended the transaction yet

  constructor(connection: Connection, job: DeliverJob, content: ContentSource) {
    this.#connection = connection
    this.#job = job
    this.#content = content
    this.#results = job.recipients.map(() => undefined)
  }

  refuseAll(reply: Reply): Ended {
    return this.#ended({ rest: { reply, by: 'self' }, relayedDsn: false, relayedBy: false })
  }

  async carry(plan: Plan): Promise<Ended> {
    try {
      await this.#exchange(plan)
      if (this.#open) await this.#reset()
      return this.#ended({ rest: lost('no reply'), relayedDsn: plan.dsn, relayedBy: plan.by })
    } catch (thrown) {
      this.#reusable = false
      if (!isFault(thrown)) throw thrown
      if (!['closed', 'timeout', 'protocol'].includes(thrown.code)) throw thrown
      return {
        ...this.#ended({ rest: lost(thrown.message), relayedDsn: plan.dsn, relayedBy: plan.by }),
        fault: thrown,
      }
    }
  }

  #ended({ rest, ...relayed }: Relayed & { readonly rest: RecipientResult }): Ended {
    return {
      ...relayed,
      results: this.#results.map((result) => result ?? rest),
      reusable: this.#reusable,
      answered: this.#answered,
    }
  }

  async #exchange(plan: Plan): Promise<void> {
    const lines = this.#rcptLines(plan)
    if (lines.length === 0) return
    const { offers } = this.#connection
    const commands = [plan.mail, ...lines.map(({ line }) => line)]
    if (!offers.has('PIPELINING')) return this.#oneByOne(commands, lines)
    const bdat = offers.has('CHUNKING')
    const whole = bdat && this.#content.sizeBytes <= ONE_WRITE_BYTES_MAX
    const text = fromUtf8(commands.join(''))
    if (whole) {
      const head = fromUtf8(`BDAT ${this.#content.sizeBytes} LAST\r\n`)
      const body = await this.#content.read(0, this.#content.sizeBytes)
      await this.#send(concatOctets([text, head, body]))
    } else await this.#connection.write(bdat ? text : concatOctets([text, fromUtf8('DATA\r\n')]))
    const mail = await this.#mailReply()
    const accepted: number[] = []
    for (const { index } of lines) if (await this.#rcptReply(index, mail)) accepted.push(index)
    if (whole) return this.#finals(accepted.length > 0 ? accepted : undefined, mail)
    if (bdat) return this.#bdat(accepted)
    return this.#data(accepted)
  }

  /** RCPT lines of those that this peer can be asked for; the others have their result. */
  #rcptLines(plan: Plan): { readonly index: number; readonly line: string }[] {
    return this.#job.recipients.flatMap((recipient, index) => {
      const line = rcptLine(recipient, plan)
      if (typeof line === 'string') return [{ index, line }]
      this.#results[index] = { reply: line, by: 'self' }
      return []
    })
  }

  async #oneByOne(
    commands: readonly string[],
    lines: readonly { readonly index: number }[],
  ): Promise<void> {
    await this.#connection.write(fromUtf8(commands[0]!))
    const mail = await this.#mailReply()
    const accepted: number[] = []
    for (const [at, { index }] of lines.entries()) {
      if (mail.code < 300) await this.#connection.write(fromUtf8(commands[at + 1]!))
      if (mail.code < 300 ? await this.#rcptReply(index, mail) : this.#refuse(index, mail))
        accepted.push(index)
    }
    if (accepted.length === 0) return
    if (this.#connection.offers.has('CHUNKING')) return this.#bdat(accepted)
    await this.#connection.write('DATA\r\n')
    return this.#data(accepted)
  }

  async #mailReply(): Promise<Reply> {
    const reply = await this.#reply(COMMAND_TIMEOUT_MS)
    this.#open = reply.code < 300
    return reply
  }

  /** True where the recipient was taken; where MAIL was refused, its reply is what counts. */
  async #rcptReply(index: number, mail: Reply): Promise<boolean> {
    const reply = await this.#reply(COMMAND_TIMEOUT_MS)
    if (mail.code >= 300) return this.#refuse(index, mail)
    return reply.code < 300 || this.#refuse(index, reply)
  }

  #refuse(index: number, reply: Reply): false {
    this.#results[index] = { reply: strict(reply), by: 'peer' }
    return false
  }

  /** DATA has been written; its reply comes next. */
  async #data(accepted: readonly number[]): Promise<void> {
    const go = await this.#reply(DATA_TIMEOUT_MS)
    if (go.code !== 354) {
      for (const index of accepted) this.#refuse(index, go)
      return
    }
    if (accepted.length === 0) {
      // RFC 2920 §3.1: 354 though nobody was taken; an empty message ends it
      await this.#connection.write('.\r\n')
      await this.#reply(FINAL_TIMEOUT_MS)
      this.#open = false
      return
    }
    for await (const octets of stuffed(this.#content)) if (!(await this.#send(octets))) break
    return this.#finals(accepted)
  }

  async #bdat(accepted: readonly number[]): Promise<void> {
    if (accepted.length === 0) return
    const source = pieces(this.#content)
    const sizes = chunkSizes(this.#content.sizeBytes)
    for (const [at, size] of sizes.entries()) {
      const last = at === sizes.length - 1
      await this.#connection.write(`BDAT ${size}${last ? ' LAST' : ''}\r\n`)
      for (let sent = 0; sent < size;) {
        const { value } = await source.next()
        if (value === undefined) break
        if (!(await this.#send(value))) return this.#finals(accepted)
        sent += value.length
      }
      if (last) return this.#finals(accepted)
      const reply = await this.#reply(BLOCK_TIMEOUT_MS)
      if (reply.code >= 300) {
        for (const index of accepted) this.#refuse(index, reply)
        return
      }
    }
  }

  /** The replies after the last octet: one, or with LMTP one a recipient (RFC 2033 §4.2). */
  async #finals(accepted: readonly number[] | undefined, mail?: Reply): Promise<void> {
    if (accepted === undefined) {
      // Chunks went out with the commands and nobody was taken: one refusal, as of any command.
      await this.#reply(FINAL_TIMEOUT_MS)
      this.#open = mail !== undefined && mail.code < 300
      return
    }
    let reply: Reply | undefined
    const turns = new Turns()
    for (const index of accepted) {
      if (turns.isOver) await turns.next()
      if (reply === undefined || this.#job.protocol === 'lmtp')
        reply = await this.#reply(FINAL_TIMEOUT_MS)
      this.#results[index] = { reply: strict(reply), by: 'peer' }
    }
    this.#open = false
  }

  /** False where the peer hung up: its reply, if it gave one, is read by whoever asks next. */
  async #send(octets: Octets): Promise<boolean> {
    try {
      await this.#connection.write(octets)
      return true
    } catch (thrown) {
      if (!isFault(thrown, 'closed')) throw thrown
      return false
    }
  }

  async #reset(): Promise<void> {
    await this.#connection.write('RSET\r\n')
    const reply = await this.#reply(COMMAND_TIMEOUT_MS)
    if (reply.code >= 300) this.#reusable = false
  }

  async #reply(timeoutMs: number): Promise<Reply> {
    const reply = await this.#connection.reply(timeoutMs)
    this.#answered = true
    if (reply.code === 421) this.#reusable = false // RFC 5321 §3.8: it is about to hang up
    return reply
  }
}

/** A 3xx where only yes or no makes sense is no yes. */
const strict = (reply: Reply): Reply =>
  reply.code >= 300 && reply.code < 400
    ? { code: 451, status: '4.5.0', text: `unexpected reply ${reply.code}` }
    : reply

const lost = (text: string): RecipientResult => ({
  reply: { code: 451, status: '4.4.2', text },
  by: 'self',
})
