import { timedId } from '#base/id.ts'
import { silentLog } from '#base/log.ts'
import { HOUR_MS, systemClock } from '#base/time.ts'
import type { OctetSource } from '#engine/scan/judge.ts'
import type { Verdict } from '#model/verdict.ts'
import { SETTINGS } from '#store/settings/table.ts'

import { Judges } from './judges.ts'
import type { JudgesOptions } from './judges.ts'

export interface OfflineJudge {
  /** Never throws: what goes wrong is in the verdict. */
  judge(source: OctetSource): Promise<Verdict>
  close(): Promise<void>
}

/** What is to be said once about judging without session and DNS. */
export const OFFLINE =
  "judged offline, by the settings' defaults and without SPF, DKIM and DMARC, which need the session and DNS"

/**
 * Judges files without an installation, as mail that came from outside when its newest Received field
 * says: by the rules of a gateway and the settings' defaults, without what only session and DNS can tell.
 */
export function offlineJudge(
  options: Pick<JudgesOptions, 'script' | 'limits'> & { readonly timeoutMs?: number } = {},
): OfflineJudge {
  const { timeoutMs = SETTINGS['judge.timeoutMs'].default, ...forJudges } = options
  const judges = new Judges({ clock: systemClock, log: silentLog, ...forJudges })
  // A judge's process holds nobody up: without this, ours would end before its answer.
  const keepAlive = setInterval(() => undefined, HOUR_MS)
  return {
    judge: (source) =>
      judges.judge({
        source,
        reversePath: null,
        recipients: [],
        peer: { ip: '0.0.0.0', port: 0 },
        door: 'mx',
        caseId: timedId(systemClock.nowMs()),
        thresholds: {
          suspectedScore: SETTINGS['spam.suspectedScore'].default,
          spamScore: SETTINGS['spam.spamScore'].default,
        },
        timeoutMs,
      }),
    close: () => {
      clearInterval(keepAlive)
      return judges.close()
    },
  }
}
