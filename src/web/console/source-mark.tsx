import type { ReactNode } from 'react'

import type { SourceBody } from '#contract/admin/sources.ts'
import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'

type State = SourceBody['state'] | SourceBody['hosts'][number]['state']

const KINDS: Readonly<Record<State, MarkKind>> = {
  unread: 'plain',
  unknown: 'plain',
  well: 'good',
  held: 'warn',
  away: 'bad',
}

/** How a source, or one of its hosts, is. */
export function SourceMark({ state }: { readonly state: State }): ReactNode {
  const { t } = useWords()
  return <Mark kind={KINDS[state]}>{t(`source.${state}`)}</Mark>
}
