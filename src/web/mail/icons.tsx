import type { ReactNode } from 'react'

/** Outlines of 24 × 24, drawn for this program. */
const PATHS = {
  archive: 'M4 4h16v5H4zM5.5 9v11h13V9M10 13h4',
  junk: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 7.5v5.5M12 16v.5',
  clear: 'M4 12.5l5 5L20 6.5',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6',
  move: 'M3 6h6l2 2.5h10V19H3zM10 13.7h6M13.5 11l2.7 2.7-2.7 2.7',
  unread: 'M3 6h18v13H3zM3 7l9 6.5L21 7',
  star: 'M12 3.5l2.6 5.6 6.1.7-4.5 4.2 1.2 6-5.4-3-5.4 3 1.2-6L3.3 9.8l6.1-.7z',
  reply: 'M10 5l-7 6.5 7 6.5v-4c5 0 8 1.2 11 5 0-6-3.5-10-11-10z',
  replyAll: 'M8 6l-5.5 5.5L8 17M13 6l-5.5 5.5L13 17v-3.5c4 0 6 1 8 4 0-5-3-8-8-8z',
  pencil: 'M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 1 0 0-13M15.5 15.5L21 21',
  menu: 'M4 6.5h16M4 12h16M4 17.5h16',
  back: 'M14.5 5l-7 7 7 7',
  clip: 'M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.400L13 4.300a3 3 0 0 1 4.3 4.300l-7.8 7.700a1.5 1.5 0 0 1-2.2-2.200l7-6.8',
  close: 'M5.5 5.5l13 13M18.5 5.5l-13 13',
  inbox: 'M4 5h16l1 9v5H3v-5zM3 14h5l1.5 2.5h5L16 14h5',
  folder: 'M3 6h6l2 2.5h10V19H3z',
  send: 'M3.5 11.5L21 4l-6 17-3.5-7zM11.5 14L21 4',
  help: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 1 0 0-17M9.5 9.800a2.600 2.600 0 1 1 3.8 2.300c-.9.5-1.3 1-1.3 2M12 17v.3',
} as const
export type IconName = keyof typeof PATHS

/** A picture beside a word, or in a button that has a name: never read aloud. */
export function Icon(props: { readonly name: IconName; readonly isFull?: boolean }): ReactNode {
  return (
    <svg
      className={props.isFull === true ? 'icon icon-full' : 'icon'}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[props.name]} />
    </svg>
  )
}

/** A button with a picture, whose word is shown where there is room. */
export function Tool(props: {
  readonly icon: IconName
  readonly word: string
  readonly onPress: () => void
  readonly isOnlyIcon?: boolean
  readonly isFull?: boolean
  readonly isPressed?: boolean
  readonly shortcut?: string
}): ReactNode {
  return (
    <button
      type="button"
      className={props.isOnlyIcon === true ? 'tool tool-icon' : 'tool'}
      aria-label={props.word}
      aria-pressed={props.isPressed}
      aria-keyshortcuts={props.shortcut}
      title={props.shortcut === undefined ? props.word : `${props.word} (${props.shortcut})`}
      onClick={props.onPress}
    >
      <Icon name={props.icon} {...(props.isFull === true && { isFull: true })} />
      <span className="tool-word">{props.word}</span>
    </button>
  )
}
