import { Semaphore } from '#base/deadline.ts'
import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { mailauthResolver } from '#client/dns/mailauth-resolver.ts'
import type { MailauthResolver } from '#client/dns/mailauth-resolver.ts'
import type { Resolver } from '#client/dns/resolver.ts'
import { classOf } from '#engine/scan/judge.ts'
import type { Judge, JudgeAsk } from '#engine/scan/judge.ts'
import type { Verdict, VirusOutcome } from '#model/verdict.ts'

import { JudgeChild } from './judge-child.ts'
import type { JudgeEnd, JudgeLimits } from './judge-child.ts'

export interface JudgesOptions {
  readonly clock: Clock
  readonly log: Log
  /** The resolver of now. Left out: nobody is asked, and senders are not checked. */
  readonly resolver?: () => Resolver
  /** For tests: another program in the judge's place. */
  readonly script?: string
  /** For tests: tighter ones. */
  readonly limits?: Partial<JudgeLimits>
}

/** Messages that one process judges at a time; while one waits for DNS, others go on. */
const AT_ONCE = 8
const WAITING_MAX = 1_000
/** DNS for one message; a closed machine must not hold up its reception (DESIGN section 6). */
const DNS_BUDGET_MS = 2.5 * SECOND_MS
const PIECE_BYTES = 256 * 1024

/**
 * Judges messages in child processes. Where a process dies of its work, each of its messages is tried
 * once more alone; one that kills or outlasts its judge is `unscannable`, never clean and never lost.
 */
export class Judges implements Judge {
  readonly #options: JudgesOptions
  readonly #places = new Semaphore(AT_ONCE, WAITING_MAX)
  readonly #alone = new Semaphore(1, WAITING_MAX)
  #shared: JudgeChild | undefined
  #isClosing = false

  constructor(options: JudgesOptions) {
    this.#options = options
  }

  async judge(ask: JudgeAsk): Promise<Verdict> {
    const degraded = new Set<string>()
    try {
      const end = await this.#places.run(() => this.#try(this.#sharedChild(), ask, degraded))
      if (end.kind !== 'lost') return verdictOf(ask, end, degraded)
      // Another message may have killed the process: this one is looked at by itself.
      const second = await this.#alone.run(async () => {
        const child = this.#newChild()
        try {
          return await this.#try(child, ask, degraded)
        } finally {
          child.close()
        }
      })
      return verdictOf(ask, second, degraded)
    } catch (thrown) {
      const reason = isFault(thrown, 'limit') ? 'too many messages wait' : messageOf(thrown)
      this.#options.log.warn('judge.unavailable', { caseId: ask.caseId, reason })
      return verdictOf(ask, { kind: 'unavailable', reason }, degraded)
    }
  }

  close(): Promise<void> {
    this.#isClosing = true
    this.#shared?.close()
    return Promise.resolve()
  }

  #sharedChild(): JudgeChild {
    if (this.#shared === undefined || this.#shared.isGone) this.#shared = this.#newChild()
    return this.#shared
  }

  #newChild(): JudgeChild {
    if (this.#isClosing) throw new Error('closing')
    const { clock, log, script, limits } = this.#options
    return new JudgeChild({
      clock,
      log,
      ...(script !== undefined && { script }),
      ...(limits !== undefined && { limits }),
    })
  }

  async #try(child: JudgeChild, ask: JudgeAsk, degraded: Set<string>): Promise<JudgeEnd> {
    // The budget begins with the first question: the process may be busy with another message.
    let resolver: MailauthResolver | undefined
    const current = this.#options.resolver
    if (current === undefined && ask.door === 'mx') degraded.add('sender')
    const resolve: MailauthResolver = (name, type) => {
      if (current === undefined) return Promise.reject(new Error('nobody can be asked'))
      resolver ??= mailauthResolver(current().within(DNS_BUDGET_MS), () => degraded.add('dns'))
      return resolver(name, type)
    }
    return child.judge({
      work: {
        door: ask.door,
        peer: ask.peer,
        reversePath: ask.reversePath,
        recipients: ask.recipients,
        ...(ask.nowMs !== undefined && { nowMs: ask.nowMs }),
        isForeign: ask.door === 'mx' && this.#options.resolver !== undefined,
      },
      octets: piecesOf(ask),
      timeoutMs: ask.timeoutMs,
      resolve,
    })
  }
}

async function* piecesOf({ source }: JudgeAsk): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < source.sizeBytes;) {
    const octets = await source.read(offset, Math.min(PIECE_BYTES, source.sizeBytes - offset))
    if (octets.byteLength === 0) return
    offset += octets.byteLength
    yield octets
  }
}

function verdictOf(
  ask: JudgeAsk,
  end: JudgeEnd | { readonly kind: 'unavailable'; readonly reason: string },
  degraded: ReadonlySet<string>,
): Verdict {
  const found = end.kind === 'findings' ? end : { hits: [], auth: [], virus: withoutFindings(end) }
  const score = found.hits.reduce((sum, hit) => sum + hit.score, 0)
  return {
    class: classOf(score, ask.thresholds),
    score: Math.round(score * 10) / 10,
    hits: found.hits,
    virus: found.virus,
    auth: found.auth,
    caseId: ask.caseId,
    degraded: [...degraded, ...(end.kind === 'findings' ? [] : ['judge'])],
  }
}

function withoutFindings(
  end: Exclude<JudgeEnd, { kind: 'findings' }> | { kind: 'unavailable'; reason: string },
): VirusOutcome {
  if (end.kind === 'unavailable') return end
  return { kind: 'unscannable', reason: end.reason }
}
