import { timedId } from '#base/id.ts'
import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { Verdict } from '#model/verdict.ts'
import type { Settings } from '#store/settings/table.ts'

import { Judges } from './judges.ts'
import { resolverOf } from '#app/resolver.ts'

export interface ScanBench {
  scan(message: Octets): Promise<Verdict>
  close(): Promise<void>
}

/**
 * Judges a message of which nothing but the octets is known, as if a user of ours had handed it in:
 * without an envelope there is no foreign sender whose name could be checked.
 */
export function scanBench(options: {
  readonly settings: () => Settings
  readonly clock: Clock
  readonly log: Log
}): ScanBench {
  const { clock, log } = options
  const judges = new Judges({ clock, log, resolver: () => resolverOf(options.settings()) })
  return {
    scan: (message) => {
      const settings = options.settings()
      const nowMs = clock.nowMs()
      return judges.judge({
        source: {
          sizeBytes: message.byteLength,
          read: (offset, length) => Promise.resolve(message.subarray(offset, offset + length)),
        },
        reversePath: null,
        recipients: [],
        peer: { ip: '127.0.0.1', port: 0 },
        door: 'submission',
        nowMs,
        caseId: timedId(nowMs),
        thresholds: {
          suspectedScore: settings['spam.suspectedScore'],
          spamScore: settings['spam.spamScore'],
        },
        timeoutMs: settings['judge.timeoutMs'],
      })
    },
    close: () => judges.close(),
  }
}
