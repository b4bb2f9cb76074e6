import type { Command } from 'commander'
import { Api } from './api.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { report, tellPending } from './print.ts'

/** What each verb is given. */
export interface Verb {
  readonly api: Api
  readonly io: CliIo
  readonly isJson: boolean
  /** The API's body with --json, else the text. */
  show(body: unknown, text: () => string): void
  /** On standard error while something takes longer than a moment. */
  progress(text: string): void
  /** Like `show`, for a write: nodes that lag behind are named on standard error. */
  wrote(
    body: { readonly pending: readonly { readonly node: string; readonly reason: string }[] },
    text: () => string,
  ): void
}

/** The verb's tools, from the options of the whole command line. */
export function verbOf(command: Command, io: CliIo): Verb {
  const options: { data?: string; json?: boolean; tokenFile?: string } = command.optsWithGlobals()
  const isJson = options.json === true
  const api = new Api(
    {
      data: options.data ?? 'var',
      ...(options.tokenFile !== undefined && { tokenFile: options.tokenFile }),
    },
    io,
  )
  const show = (body: unknown, text: () => string): void => report(io, isJson, body, text)
  return {
    api,
    io,
    isJson,
    show,
    progress: (text) => {
      if (!isJson) io.err(`watari: ${text}\n`)
    },
    wrote: (body, text) => {
      show(body, text)
      if (!isJson) tellPending(io, body.pending)
    },
  }
}

/** A number that a limit may be, from 1 to `max`. */
export function numberOf(text: string, max: number): number {
  const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > max) throw new UsageError(`--limit is 1 to ${max}`)
  return number
}

/** One part of a path. */
export const part = (text: string): string => encodeURIComponent(text)
