import { useEffect, useRef } from 'react'

const OFF = 'watari.keysOff'

export const areKeysOff = (): boolean => localStorage.getItem(OFF) === '1'
export const setKeysOff = (isOff: boolean): void =>
  isOff ? localStorage.setItem(OFF, '1') : localStorage.removeItem(OFF)

/** While Japanese is being composed, keys are the input method's: Enter chooses a word there. */
export const isComposing = (event: {
  readonly isComposing: boolean
  readonly keyCode: number
}): boolean => event.isComposing || event.keyCode === 229

/** A box that was just ticked takes the focus, and no letters. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (/^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !target.matches('[type=checkbox]')))

const SCROLLING = new Set(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'])

/** Single keys, outside of fields and dialogs; they can be switched off (WCAG 2.1.4). */
export function useKeys(acts: Readonly<Record<string, () => void>>, isOn: boolean): void {
  const latest = useRef(acts)
  useEffect(() => {
    latest.current = acts
  })
  useEffect(() => {
    if (!isOn) return
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (isComposing(event)) return
      if (document.querySelector('dialog[open]') !== null) return
      const { target } = event
      if (isTyping(target)) {
        if (event.key === 'Escape') (target as HTMLElement).blur()
        return
      }
      // A button or link that has the focus has its own Enter.
      const hasOwn = target instanceof Element && target.closest('a, button, summary') !== null
      if (event.key === 'Enter' && hasOwn) return
      if (SCROLLING.has(event.key)) {
        // The letter that is read has its own way of moving.
        if (target instanceof Element && target.closest('.reader, .tree') !== null) return
      } else if (areKeysOff() && event.key !== 'Escape') return
      const act = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined
      if (act === undefined) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [isOn])
}
