import { useSyncExternalStore } from 'react'

/** Something that components look at, and that says when it has changed. */
export class Observed {
  readonly #listeners = new Set<() => void>()
  #version = 0

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  readonly version = (): number => this.#version

  protected changed(): void {
    this.#version++
    for (const listener of this.#listeners) listener()
  }
}

/** Draws the component again whenever it has changed. */
export function useObserved<T extends Observed>(observed: T): T {
  useSyncExternalStore(observed.subscribe, observed.version)
  return observed
}
