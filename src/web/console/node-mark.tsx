import type { ReactNode } from 'react'

import type { NodeBody } from '#contract/admin/status.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'

const KNOWN = new Set(['ready', 'full', 'stalled', 'degraded', 'unknown'])

export const isWell = (node: NodeBody): boolean => node.connected && node.state === 'ready'

/** How a node is, in a word. */
export function NodeMark({ node }: { readonly node: NodeBody }): ReactNode {
  const { t } = useWords()
  if (node.connected && node.draining === true)
    return <Mark kind="hatched">{t('node.draining')}</Mark>
  if (isWell(node)) return <Mark kind="good">{t('node.ready')}</Mark>
  if (!node.connected) return <Mark kind="bad">{t('node.away')}</Mark>
  const state = KNOWN.has(node.state) ? node.state : 'degraded'
  return <Mark kind={state === 'degraded' ? 'hatched' : 'bad'}>{t(`node.${state}`)}</Mark>
}
