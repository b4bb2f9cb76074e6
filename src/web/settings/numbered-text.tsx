import { useImperativeHandle, useRef } from 'react'
import type { ReactNode, Ref } from 'react'

/** Lines that get numbers; a longer text is edited without, so that typing stays quick. */
const NUMBERED_MAX = 3_000

export interface NumberedTextHandle {
  /** Selects a line, counted from 1, and brings it into sight. */
  goTo(line: number): void
}

/**
 * A text with line numbers. What is typed lies in a plain textarea, so that all keys, input methods and
 * screen readers know it; behind it lies the same text unseen, which breaks where it breaks.
 */
export function NumberedText(props: {
  readonly id: string
  readonly value: string
  readonly change: (value: string) => void
  /** Lines to be seen at once, by what they are. */
  readonly marks: ReadonlyMap<number, 'bad' | 'warn'>
  readonly describedBy: string
  readonly isWrong: boolean
  readonly handle: Ref<NumberedTextHandle>
}): ReactNode {
  const area = useRef<HTMLTextAreaElement>(null)
  const mirror = useRef<HTMLDivElement>(null)
  const lines = props.value.split('\n')
  const isNumbered = lines.length <= NUMBERED_MAX
  useImperativeHandle(props.handle, () => ({
    goTo(line) {
      const from = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0)
      area.current?.focus()
      area.current?.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0))
      mirror.current?.children[line - 1]?.scrollIntoView({ block: 'center' })
    },
  }))
  return (
    <div className={isNumbered ? 'numbered' : 'numbered numbered-not'}>
      {isNumbered && (
        <div ref={mirror} className="numbered-lines" aria-hidden="true">
          {lines.map((line, at) => (
            <div key={at} className={`numbered-line ${props.marks.get(at + 1) ?? ''}`}>
              {/* An empty line has a height, too. */}
              <span>{line === '' ? '\u200b' : line}</span>
            </div>
          ))}
        </div>
      )}
      <textarea
        ref={area}
        id={props.id}
        className="numbered-area"
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        aria-describedby={props.describedBy}
        aria-invalid={props.isWrong}
        value={props.value}
        onChange={(event) => props.change(event.currentTarget.value)}
      />
    </div>
  )
}
