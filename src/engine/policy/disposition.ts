import type { Disposition, SpamClass, Verdict } from '#model/verdict.ts'
import type { PolicyAction } from '#store/settings/option.ts'
import type { Settings } from '#store/settings/table.ts'

type PolicySettings = Pick<
  Settings,
  | 'policy.spam'
  | 'policy.suspected'
  | 'policy.infected'
  | 'policy.unscannable'
  | 'policy.unavailable'
>

/**
 * What becomes of a judged message for one recipient. Decided in session, so that nothing that is
 * refused is ever bounced; the reasons are for peers and name the case.
 */
export function disposition(verdict: Verdict, settings: PolicySettings): Disposition {
  const { virus } = verdict
  const named = `(case ${verdict.caseId})`
  switch (virus.kind) {
    case 'infected':
      return dispose(settings['policy.infected'], 'spam', `contains ${virus.name} ${named}`)
    case 'unscannable': {
      const least: SpamClass = verdict.class === 'clean' ? 'suspected' : verdict.class
      const reason = `could not be examined: ${virus.reason} ${named}`
      return dispose(settings['policy.unscannable'], least, reason)
    }
    case 'unavailable':
      return dispose(
        settings['policy.unavailable'],
        verdict.class,
        `cannot be examined now ${named}`,
      )
    case 'clean':
      return spamDisposition(verdict, settings, named)
  }
}

function spamDisposition(verdict: Verdict, settings: PolicySettings, named: string): Disposition {
  if (verdict.class === 'clean') return { kind: 'accept', class: 'clean' }
  const action = settings[verdict.class === 'spam' ? 'policy.spam' : 'policy.suspected']
  return dispose(action, verdict.class, `looks like unsolicited mail ${named}`)
}

const dispose = (action: PolicyAction, spamClass: SpamClass, reason: string): Disposition =>
  action === 'accept' ? { kind: 'accept', class: spamClass } : { kind: action, reason }
