import type { Command } from 'commander'
import { Api } from './api.ts'
import type { CliIo } from './io.ts'
import { report, tellPending } from './print.ts'

/** What each verb is given. */
export interface Verb {
  readonly api: Api
  readonly io: CliIo
  readonly isJson: boolean
  /** The API's body with --json, else the text. */
  show(body: unknown, text: () => string): void
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
    wrote: (body, text) => {
      show(body, text)
      if (!isJson) tellPending(io, body.pending)
    },
  }
}

/** One part of a path. */
export const part = (text: string): string => encodeURIComponent(text)
