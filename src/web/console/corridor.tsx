import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'
import { Mark } from '#web/parts/mark.tsx'
import type { MarkKind } from '#web/parts/mark.tsx'

/** The way of a message, everywhere in this order. */
const STATIONS = [
  'reception',
  'verdict',
  'policy',
  'route',
  'queue',
  'delivery',
  'mailbox',
] as const
export type StationName = (typeof STATIONS)[number]

export interface Station {
  /** What stands large: a number, a time, a word. */
  readonly figure: ReactNode
  readonly word?: string
  readonly lines: readonly { readonly kind: MarkKind; readonly text: string }[]
  /** The message did not come so far, or nothing is known. */
  readonly isEmpty?: boolean
}

/** The corridor with what is to be said at each of its stations. */
export function Corridor(props: {
  readonly label: string
  readonly stations: Readonly<Record<StationName, Station>>
}): ReactNode {
  const { t } = useWords()
  return (
    <div className="corridor-room">
      <ol className="corridor" aria-label={props.label}>
        {STATIONS.map((name) => {
          const { figure, word, lines, isEmpty } = props.stations[name]
          return (
            <li key={name} className={isEmpty === true ? 'station station-empty' : 'station'}>
              <p className="station-name">{t(`station.${name}`)}</p>
              <p className="figure">
                {figure} {word !== undefined && <small>{word}</small>}
              </p>
              {lines.map((line) => (
                <p key={line.text}>
                  <Mark kind={line.kind}>{line.text}</Mark>
                </p>
              ))}
            </li>
          )
        })}
      </ol>
    </div>
  )
}
