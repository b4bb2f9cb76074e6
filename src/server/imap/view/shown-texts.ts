import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { renderBody } from '#codec/imap/body-structure.ts'
import { renderEnvelope } from '#codec/imap/envelope.ts'
import { quote } from '#codec/imap/render.ts'
import type { MessageMeta } from '#model/message.ts'
import type { SharedView } from './shared-view.ts'

/** What FETCH shows of a message that never changes, rendered once. */
export interface RowTexts {
  readonly envelope?: string
  readonly body?: string
  readonly bodyStructure?: string
  readonly preview?: string
}

export type TextKind = keyof RowTexts
export const TEXT_KINDS: readonly TextKind[] = ['envelope', 'body', 'bodyStructure', 'preview']

/** Characters, one octet each; what lies around them is about as much again. */
const CHARS_MAX = 12 * 1024 * 1024

interface Shelf {
  readonly byUid: Map<number, RowTexts>
  chars: number
}

/**
 * Rendered envelopes and structures of a process, by view: a program that comes back is told again
 * what has been told. A UID names the same message for as long as its view lives.
 */
export class ShownTexts {
  /** Last used last. */
  readonly #shelves = new Map<SharedView, Shelf>()
  #chars = 0

  /** What is known of the message; maybe not all kinds. */
  get(view: SharedView, uid: number): RowTexts | undefined {
    return this.#shelves.get(view)?.byUid.get(uid)
  }

  /** Renders the kinds that are not known yet, and keeps them. */
  render(view: SharedView, uid: number, ask: TextsAsk): RowTexts {
    const shelf = this.#shelves.get(view) ?? { byUid: new Map<number, RowTexts>(), chars: 0 }
    const before = shelf.byUid.get(uid)
    const texts: { -readonly [K in TextKind]?: string } = { ...before }
    let chars = 0
    for (const kind of ask.kinds) {
      if (texts[kind] !== undefined) continue
      texts[kind] = RENDER[kind](ask.meta)
      chars += texts[kind].length
    }
    if (view.lost) return texts
    shelf.byUid.set(uid, texts)
    shelf.chars += chars
    this.#chars += chars
    this.#shelves.delete(view)
    this.#shelves.set(view, shelf)
    this.#trim(view)
    return texts
  }

  /** The view is no more, or nobody is to hold on to it. */
  forget(view: SharedView): void {
    this.#chars -= this.#shelves.get(view)?.chars ?? 0
    this.#shelves.delete(view)
  }

  /** Other views go whole, the longest unused first; of the one in use what was rendered first. */
  #trim(inUse: SharedView): void {
    for (const view of this.#shelves.keys()) {
      if (this.#chars <= CHARS_MAX) return
      if (view !== inUse) this.forget(view)
    }
    const shelf = this.#shelves.get(inUse)!
    for (const [uid, texts] of shelf.byUid) {
      if (this.#chars <= CHARS_MAX) return
      const chars = TEXT_KINDS.reduce((sum, kind) => sum + (texts[kind]?.length ?? 0), 0)
      shelf.byUid.delete(uid)
      shelf.chars -= chars
      this.#chars -= chars
    }
  }
}

interface TextsAsk {
  readonly meta: MessageMeta
  readonly kinds: readonly TextKind[]
}

const RENDER: Readonly<Record<TextKind, (meta: MessageMeta) => string>> = {
  envelope: (meta) => renderEnvelope(meta.envelope),
  body: (meta) => renderBody(meta.root, 'body'),
  bodyStructure: (meta) => renderBody(meta.root, 'bodyStructure'),
  preview: (meta) => quote(toLatin1(fromUtf8(meta.preview))), // RFC 8970 §3.2: UTF-8
}
