import type { Installation } from '#test/e2e/installation.ts'
import { metricsOf } from './simulated-node.ts'

/** A role's histogram of standstills, from `/metrics`. */
export async function loopDelays(
  ours: Installation,
  role: 'control' | 'gateway' = 'control',
): Promise<Map<string, number>> {
  const text = await metricsOf(ours)
  const lines = text.matchAll(
    /^watari_role_loop_delay_seconds_bucket\{role="(.*)",le="(.*)"\} (\d+)$/gm,
  )
  return new Map(
    [...lines].filter(([, of]) => of === role).map(([, , le, count]) => [le!, Number(count)]),
  )
}

/** The lowest bound that holds all that came since. */
export function longestOf(before: Map<string, number>, now: Map<string, number>): string {
  const since = (le: string): number => (now.get(le) ?? 0) - (before.get(le) ?? 0)
  for (const le of now.keys())
    if (since(le) === since('+Inf')) return le === '+Inf' ? 'longer' : `≤ ${Number(le) * 1_000} ms`
  return ''
}
