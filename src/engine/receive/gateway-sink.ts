import { concatOctets, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import type { MessageSink } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { Disposition, Verdict } from '#model/verdict.ts'
import { disposition } from '#engine/policy/disposition.ts'
import { authoriseHeader } from '#engine/sender/authorise.ts'
import type { Signing } from '#engine/sender/signer.ts'
import type { QueueId, QueueRecipientInput } from '#store/spool/spool-store.ts'
import type { GatewayReceptionOptions } from './gateway-options.ts'
import { HEADER_BYTES_MAX, HeaderCollector, without } from './header-collector.ts'
import type { Split } from './header-collector.ts'
import { KeptContent } from './kept-content.ts'
import type { KeptSource } from './kept-content.ts'
import { tellEnd } from './reception-events.ts'
import type { Mail, MailEnd } from './reception-events.ts'
import type { QueueTarget } from './recipient.ts'
import { replyOf } from './spool-health.ts'
import { claimsToBeOurs, missingFields, traceFields } from './trace-fields.ts'

/** Fields of one header that are looked at; a header with more is refused. */
const FIELDS_MAX = 20_000

/**
 * Takes one message's octets, its header held back until it is whole and cleaned; then judges,
 * decides, and queues it durably.
 */
export class GatewaySink implements MessageSink {
  readonly #options: GatewayReceptionOptions
  readonly #mail: Mail
  #collector: HeaderCollector | undefined = new HeaderCollector()
  #fields: readonly HeaderField[] = []
  #isBodyOnly = false
  /** Of mail that leaves in the name of a domain of ours. */
  #signing: Signing | undefined
  readonly #kept: KeptContent
  #receivedBytes = 0
  /** Why the message cannot be taken; the rest of it is dropped. */
  #refusal: Reply | undefined

  constructor(options: GatewayReceptionOptions, mail: Mail) {
    this.#options = options
    this.#mail = mail
    this.#kept = new KeptContent(options.spool)
  }

  async write(octets: Octets): Promise<void> {
    if (this.#refusal !== undefined) return
    this.#receivedBytes += octets.length
    const sizeBytesMax = this.#options.settings()['mail.sizeBytesMax']
    if (this.#receivedBytes > sizeBytesMax)
      return this.#refuse(552, '5.3.4', `Message size exceeds ${sizeBytesMax} octets`)
    if (this.#collector === undefined) return this.#keepBody(octets)
    const split = this.#collector.feed(octets)
    if (split === 'tooLarge')
      return this.#refuse(552, '5.3.4', `Header exceeds ${HEADER_BYTES_MAX} octets`)
    if (split !== undefined) await this.#takeHeader(split)
  }

  async finish(): Promise<readonly Reply[]> {
    try {
      if (this.#collector !== undefined && this.#refusal === undefined)
        await this.#takeHeader(this.#collector.finish())
      const reply = this.#refusal ?? (await this.#settle())
      return [reply]
    } catch (thrown) {
      this.#options.log.error('receive.failed', {
        deliveryId: this.#mail.id,
        reason: messageOf(thrown),
      })
      await this.abort()
      return [this.#told(replyOf(thrown))]
    }
  }

  abort(): Promise<void> {
    return this.#kept.drop()
  }

  async #takeHeader(split: Split): Promise<void> {
    this.#collector = undefined
    this.#isBodyOnly = split.isBodyOnly
    const fields: HeaderField[] = []
    for (const field of headerFields(split.header)) {
      if (fields.length >= FIELDS_MAX)
        return this.#refuse(552, '5.3.4', `Header has more than ${FIELDS_MAX} fields`)
      fields.push(field)
    }
    const { command } = this.#mail
    const { directory, authservId, settings } = this.#options
    // RFC 5321 §6.3: too many stations are a loop.
    const hops = fields.filter((field) => field.key === 'received').length
    if (hops > settings()['received.max'])
      return this.#refuse(554, '5.4.6', `Too many hops: ${hops} Received fields are a mail loop`)
    if (command.door === 'submission' && command.account !== undefined) {
      const allowed = authoriseHeader(command.account, fields, directory)
      if (!allowed.ok) return this.#refuse(550, '5.7.1', allowed.error)
    }
    const { ours = [], theirs = [] } = Object.groupBy(fields, (field) =>
      claimsToBeOurs(field, authservId) ? 'ours' : 'theirs',
    )
    this.#fields = theirs
    const header = without(
      split.header,
      ours.map((field) => field.range),
    )
    const isOurs =
      command.door === 'submission' || (command.door === 'relay' && settings()['dkim.relay'])
    if (isOurs) this.#signing = this.#options.signer.begin(Buffer.from(header), theirs)
    await this.#keep(header)
    await this.#keepBody(split.rest)
  }

  #keepBody(octets: Octets): Promise<void> {
    this.#signing?.feed(octets)
    return this.#keep(octets)
  }

  /** Octets of the message as it will be queued. */
  async #keep(octets: Octets): Promise<void> {
    try {
      await this.#kept.add(octets)
    } catch (thrown) {
      this.#refusal = this.#told(replyOf(thrown))
      await this.abort()
    }
  }

  async #settle(): Promise<Reply> {
    const source = this.#kept.source()
    const verdict = await this.#judge(source)
    if (source.failure !== undefined) throw source.failure
    const settings = this.#options.settings()
    // One policy for all recipients so far; each has a disposition of its own all the same.
    const decided = this.#mail.targets.map((target) => ({
      target,
      made: disposition(verdict, settings),
    }))
    const kept = decided.filter(({ made }) => made.kind === 'accept' || made.kind === 'hold')
    const worst =
      decided.find(({ made }) => made.kind === 'defer') ??
      decided.find(({ made }) => made.kind === 'reject')
    if (kept.length === 0) {
      await this.abort()
      const reply = worst === undefined ? DISCARDED : refusalOf(worst.made)
      return this.#told(reply, { verdict })
    }
    const { queueId } = await this.#accept(verdict, kept)
    this.#options.wake()
    const held = kept.some(({ made }) => made.kind === 'hold')
    const reply: Reply = {
      code: 250,
      status: '2.0.0',
      text: `${this.#mail.id} queued as ${queueId}`,
    }
    return this.#told(reply, { verdict, queued: { queueId, held } })
  }

  #judge(source: KeptSource): Promise<Verdict> {
    const settings = this.#options.settings()
    const { id, command, recipients } = this.#mail
    if (!settings['judge.enabled']) return Promise.resolve(unjudged(id))
    return this.#options.judge.judge({
      source,
      reversePath: command.reversePath,
      recipients: recipients.map((recipient) => recipient.address),
      peer: command.peer,
      door: command.door,
      nowMs: this.#options.clock.nowMs(),
      caseId: id,
      thresholds: {
        suspectedScore: settings['spam.suspectedScore'],
        spamScore: settings['spam.spamScore'],
      },
      timeoutMs: settings['judge.timeoutMs'],
    })
  }

  async #accept(
    verdict: Verdict,
    kept: readonly { readonly target: QueueTarget; readonly made: Disposition }[],
  ): Promise<{ readonly queueId: QueueId }> {
    const { command, id } = this.#mail
    const receivedAtMs = this.#options.clock.nowMs()
    const prefix = await this.#prefix(verdict, receivedAtMs)
    const content = this.#kept.handOver(prefix)
    return this.#options.spool.accept({
      deliveryId: id,
      door: command.door,
      reversePath: command.reversePath,
      recipients: kept.map(({ target, made }) => queueRecipient(target, made)),
      body: command.body,
      smtpUtf8: command.smtpUtf8,
      ...(command.ret === undefined ? {} : { ret: command.ret }),
      ...(command.envid === undefined ? {} : { envid: command.envid }),
      verdict: { ...verdict, ...(command.account && { submittedBy: command.account.id }) },
      receivedAtMs,
      expiresAtMs: receivedAtMs + this.#options.settings()['queue.lifetimeMs'],
      content,
    })
  }

  async #prefix(verdict: Verdict, receivedAtMs: number): Promise<Octets> {
    const { command, id, recipients } = this.#mail
    const hostname = this.#options.hostname(command.door)
    const trace = traceFields({
      peer: command.peer,
      hostname,
      authservId: this.#options.authservId,
      id,
      smtpUtf8: command.smtpUtf8,
      recipients: recipients.map((recipient) => recipient.address),
      receivedAtMs,
      verdict,
    })
    const added =
      command.door === 'mx'
        ? new Uint8Array(0)
        : missingFields(this.#fields, { id, hostname, atMs: receivedAtMs })
    // A message without a header stays one: its text must not become fields of ours.
    const blank = fromLatin1(this.#isBodyOnly ? '\r\n' : '')
    const signature = await this.#options.signer.sign(this.#signing, { id, added })
    if (signature.length === 0) this.#signing = undefined // it leaves unsigned
    return concatOctets([trace, signature, added, blank])
  }

  async #refuse(code: number, status: string, text: string): Promise<void> {
    this.#refusal = this.#told({ code, status, text })
    await this.abort()
  }

  /** Tells what became of the message, for traces, and hands the reply on. */
  #told(reply: Reply, further: Pick<MailEnd, 'verdict' | 'queued'> = {}): Reply {
    tellEnd(this.#options, this.#mail, {
      reply,
      fields: this.#fields,
      sizeBytes: this.#receivedBytes,
      ...(this.#signing && { signing: this.#signing }),
      ...further,
    })
    return reply
  }
}

const DISCARDED: Reply = { code: 250, status: '2.0.0', text: 'Ok' }

const unjudged = (caseId: string): Verdict => ({
  class: 'clean',
  score: 0,
  hits: [],
  virus: { kind: 'clean' },
  auth: [],
  caseId,
  degraded: ['off'],
})

function refusalOf(made: Disposition): Reply {
  const reason = 'reason' in made ? oneLine(made.reason, 300) : ''
  if (made.kind === 'defer') return { code: 451, status: '4.7.1', text: `Message ${reason}` }
  return { code: 554, status: '5.7.1', text: `Message ${reason}` }
}

function queueRecipient(target: QueueTarget, made: Disposition): QueueRecipientInput {
  const { key: _, ...recipient } = target
  return made.kind === 'hold' ? { ...recipient, hold: oneLine(made.reason, 300) } : recipient
}
