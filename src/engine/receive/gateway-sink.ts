import { concatOctets, fromLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { formatAddress } from '#model/address.ts'
import { transmissionType } from '#model/envelope.ts'
import type { DeliveryId, Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import type { Disposition, Verdict } from '#model/verdict.ts'
import { disposition } from '#engine/policy/disposition.ts'
import { authoriseHeader } from '#engine/sender/authorise.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { QueueId, QueueRecipientInput } from '#store/spool/spool-store.ts'
import type { GatewayReceptionOptions } from './gateway-reception.ts'
import { HeaderCollector, without } from './header-collector.ts'
import type { Split } from './header-collector.ts'
import type { QueueTarget } from './recipient.ts'
import type { MailCommand, MessageSink } from '#model/reception.ts'
import { replyOf } from './spool-health.ts'
import { claimsToBeOurs, missingFields, traceFields } from './trace-fields.ts'

interface Mail {
  readonly command: MailCommand
  readonly id: DeliveryId
  readonly recipients: readonly Recipient[]
  readonly targets: readonly QueueTarget[]
}

/** Fields of one header that are looked at; a header with more is refused. */
const FIELDS_MAX = 20_000

/**
 * Takes one message's octets: the header held back and cleaned, up to RECORD_BYTES_MAX kept in
 * memory, more streamed to a large file; then judges, decides, and queues it durably.
 */
export class GatewaySink implements MessageSink {
  readonly #options: GatewayReceptionOptions
  readonly #mail: Mail
  #collector: HeaderCollector | undefined = new HeaderCollector()
  #fields: readonly HeaderField[] = []
  #isBodyOnly = false
  #pieces: Octets[] = []
  #sizeBytes = 0
  #receivedBytes = 0
  #large: LargeHandle | undefined
  /** Why the message cannot be taken; the rest of it is dropped. */
  #refusal: Reply | undefined

  constructor(options: GatewayReceptionOptions, mail: Mail) {
    this.#options = options
    this.#mail = mail
  }

  async write(octets: Octets): Promise<void> {
    if (this.#refusal !== undefined) return
    this.#receivedBytes += octets.length
    const sizeBytesMax = this.#options.settings()['mail.sizeBytesMax']
    if (this.#receivedBytes > sizeBytesMax)
      return this.#refuse(552, '5.3.4', `Message size exceeds ${sizeBytesMax} octets`)
    if (this.#collector === undefined) return this.#keep(octets)
    const split = this.#collector.feed(octets)
    if (split === 'tooLarge') return this.#refuse(552, '5.3.4', 'Header too large')
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

  async abort(): Promise<void> {
    this.#pieces = []
    const handle = this.#large
    this.#large = undefined
    // What a crash or a stall leaves behind, the spool deletes at its next start.
    if (handle !== undefined)
      await this.#options.spool.abortLarge({ handle }).catch(() => undefined)
  }

  async #takeHeader(split: Split): Promise<void> {
    this.#collector = undefined
    this.#isBodyOnly = split.isBodyOnly
    const fields: HeaderField[] = []
    for (const field of headerFields(split.header)) {
      if (fields.length >= FIELDS_MAX) return this.#refuse(552, '5.3.4', 'Too many header fields')
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
    const ours = fields.filter((field) => claimsToBeOurs(field, authservId))
    this.#fields = fields.filter((field) => !ours.includes(field))
    await this.#keep(
      without(
        split.header,
        ours.map((field) => field.range),
      ),
    )
    await this.#keep(split.rest)
  }

  /** Octets of the message as it will be queued. */
  async #keep(octets: Octets): Promise<void> {
    if (octets.length === 0) return
    this.#sizeBytes += octets.length
    if (this.#large === undefined && this.#sizeBytes <= RECORD_BYTES_MAX) {
      this.#pieces.push(Buffer.from(octets))
      return
    }
    try {
      const { spool } = this.#options
      if (this.#large === undefined) {
        this.#large = (await spool.openLarge()).handle
        const held = concatOctets([...this.#pieces, octets])
        this.#pieces = []
        await spool.appendLarge({ handle: this.#large, octets: held })
      } else await spool.appendLarge({ handle: this.#large, octets: Buffer.from(octets) })
    } catch (thrown) {
      this.#refusal = this.#told(replyOf(thrown))
      await this.abort()
    }
  }

  async #settle(): Promise<Reply> {
    const source = new SinkSource(this.#pieces, this.#sizeBytes, (offset, length) =>
      this.#readLarge(offset, length),
    )
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
      return this.#told(reply, verdict)
    }
    const { queueId } = await this.#accept(verdict, kept)
    this.#options.wake()
    const held = kept.some(({ made }) => made.kind === 'hold')
    const reply: Reply = {
      code: 250,
      status: '2.0.0',
      text: `${this.#mail.id} queued as ${queueId}`,
    }
    return this.#told(reply, verdict, { queueId, held })
  }

  #judge(source: SinkSource): Promise<Verdict> {
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

  async #readLarge(offset: number, length: number): Promise<Octets> {
    const handle = this.#large
    if (handle === undefined) return new Uint8Array(0)
    return (await this.#options.spool.readLarge({ handle, offset, length })).octets
  }

  #accept(
    verdict: Verdict,
    kept: readonly { readonly target: QueueTarget; readonly made: Disposition }[],
  ): Promise<{ readonly queueId: QueueId }> {
    const { command, id } = this.#mail
    const receivedAtMs = this.#options.clock.nowMs()
    const prefix = this.#prefix(verdict, receivedAtMs)
    const content: Content =
      this.#large === undefined
        ? { octets: [prefix, ...this.#pieces] }
        : { prefix, large: this.#large }
    this.#large = undefined // the spool's from now on, whatever becomes of it
    return this.#options.spool.accept({
      deliveryId: id,
      door: command.door,
      reversePath: command.reversePath,
      recipients: kept.map(({ target, made }) => queueRecipient(target, made)),
      body: command.body,
      smtpUtf8: command.smtpUtf8,
      ...(command.ret === undefined ? {} : { ret: command.ret }),
      ...(command.envid === undefined ? {} : { envid: command.envid }),
      verdict,
      receivedAtMs,
      expiresAtMs: receivedAtMs + this.#options.settings()['queue.lifetimeMs'],
      content,
    })
  }

  #prefix(verdict: Verdict, receivedAtMs: number): Octets {
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
    return concatOctets([trace, added, blank])
  }

  async #refuse(code: number, status: string, text: string): Promise<void> {
    this.#refusal = this.#told({ code, status, text })
    await this.abort()
  }

  /** Tells what became of the message, for traces, and hands the reply on. */
  #told(
    reply: Reply,
    verdict?: Verdict,
    queued?: { readonly queueId: QueueId; readonly held: boolean },
  ): Reply {
    const { command, id, recipients, targets } = this.#mail
    const text = (key: string): string =>
      oneLine(toUtf8(fromLatin1(this.#fields.find((field) => field.key === key)?.value ?? '')), 500)
    const isTaken = reply.code < 400
    const named = addressLists(targets)
    const asked = addressLists(recipients)
    const fields = {
      door: command.door,
      ip: command.peer.ip,
      protocol: transmissionType(command.peer, command.smtpUtf8),
      from: command.reversePath === null ? '<>' : formatAddress(command.reversePath),
      recipients: named[0] ?? '',
      original: asked[0] ?? '',
      messageId: text('message-id'),
      sizeBytes: this.#receivedBytes,
      status: oneLine(`${reply.code} ${reply.status ?? ''} ${[reply.text].flat().join(' ')}`),
      ...(queued === undefined ? {} : { queueId: queued.queueId, held: queued.held }),
      ...(verdict === undefined
        ? {}
        : {
            class: verdict.class,
            score: verdict.score,
            caseId: verdict.caseId,
            virus: verdict.virus.kind,
            degraded: verdict.degraded.join(','),
            rules: verdict.hits.map((hit) => hit.name).join(','),
          }),
    }
    const name = isTaken ? 'receive.accepted' : 'receive.refused'
    this.#options.events.emit({
      atMs: this.#options.clock.nowMs(),
      name,
      deliveryId: id,
      fields,
    })
    this.#options.log.info(name, { deliveryId: id, ...fields })
    for (let i = 1; i < Math.max(named.length, asked.length); i++)
      this.#options.events.emit({
        atMs: this.#options.clock.nowMs(),
        name: 'receive.recipients',
        deliveryId: id,
        fields: { recipients: named[i] ?? '', original: asked[i] ?? '' },
      })
    return reply
  }
}

/** Characters of addresses in one event: a batch of events must fit into one request to control. */
const LIST_LENGTH_MAX = 2_000

/** All addresses, however many, with commas between: a trace starts from any. */
function addressLists(list: readonly Pick<Recipient, 'address'>[]): readonly string[] {
  const lists: string[] = []
  for (const { address } of list) {
    const text = formatAddress(address)
    const last = lists.at(-1)
    if (last === undefined || last.length + text.length >= LIST_LENGTH_MAX) lists.push(text)
    else lists[lists.length - 1] = `${last},${text}`
  }
  return lists
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

/** The kept octets as the judge reads them; remembers a failure of ours while reading. */
class SinkSource {
  readonly sizeBytes: number
  readonly #pieces: readonly Octets[]
  #whole: Octets | undefined
  readonly #readLarge: (offset: number, length: number) => Promise<Octets>
  failure: unknown

  constructor(
    pieces: readonly Octets[],
    sizeBytes: number,
    readLarge: (offset: number, length: number) => Promise<Octets>,
  ) {
    this.sizeBytes = sizeBytes
    this.#pieces = pieces
    this.#readLarge = readLarge
  }

  async read(offset: number, length: number): Promise<Octets> {
    if (this.#pieces.length > 0 || this.sizeBytes === 0) {
      this.#whole ??= concatOctets(this.#pieces)
      return this.#whole.subarray(offset, offset + length)
    }
    try {
      return await this.#readLarge(offset, length)
    } catch (thrown) {
      this.failure = thrown
      throw thrown
    }
  }
}
