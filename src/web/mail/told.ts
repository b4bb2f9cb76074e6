import { Observed } from './observed.ts'

/** What was just done, with the way back. */
export interface Told {
  readonly text: string
  readonly isTrouble?: boolean
  readonly undo?: () => void
  readonly untilMs: number
}

export const UNDO_MS = 10_000

/** One sentence at a time, for as long as it can be undone. */
export class Telling extends Observed {
  #told: Told | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  get told(): Told | undefined {
    return this.#told
  }

  tell(text: string, more: Pick<Told, 'isTrouble' | 'undo'> & { readonly ms?: number } = {}): void {
    const { ms = UNDO_MS, ...rest } = more
    clearTimeout(this.#timer)
    this.#told = { text, ...rest, untilMs: Date.now() + ms }
    this.#timer = setTimeout(() => this.forget(), ms)
    this.changed()
  }

  forget(): void {
    clearTimeout(this.#timer)
    this.#told = undefined
    this.changed()
  }

  undo(): void {
    const undo = this.#told?.undo
    this.forget()
    undo?.()
  }
}
