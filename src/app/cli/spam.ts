import type { Command } from 'commander'
import { OFFLINE, offlineJudge } from '#app/judging/offline-judge.ts'
import type { OfflineJudge } from '#app/judging/offline-judge.ts'
import { messageOf } from '#base/outcome.ts'
import { counted } from '#base/text.ts'
import type { OctetSource } from '#engine/scan/judge.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'
import { mailFiles } from './mail-files.ts'
import type { MailFile } from './mail-files.ts'
import { tabbed } from './print.ts'

/** Scoring of files, without an installation: a higher score means more like spam. */
export function spamCommands(program: Command, io: CliIo): void {
  program
    .command('spam')
    .description('spam judgement')
    .command('score <path...>')
    .description('score each message of folders, mboxes and files: path, score, class')
    .action(async (paths: readonly string[], _: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<{ json?: boolean }>()
      const judge = offlineJudge()
      try {
        await scoreFiles({ paths, judge, io, isJson: json === true })
      } finally {
        await judge.close()
      }
    })
}

/**
 * One line a message, as soon as it is judged. A message that kills or outlasts its judge has its line
 * too. Throws at the end where a file could not be read.
 */
export async function scoreFiles(work: {
  readonly paths: readonly string[]
  readonly judge: OfflineJudge
  readonly io: CliIo
  readonly isJson: boolean
}): Promise<void> {
  const { io, judge } = work
  io.err(`watari: ${OFFLINE}\n`)
  let unread = 0
  for (const path of work.paths)
    for await (const file of mailFiles(path)) {
      const scored = await score(file, judge)
      if (scored.kind === 'unreadable') {
        unread++
        io.err(`watari: ${tabbed([scored.path])} cannot be read (${scored.reason})\n`)
        continue
      }
      const { score: value, class: is } = scored
      if (scored.reason !== undefined)
        io.err(`watari: ${tabbed([scored.path])}: ${tabbed([scored.reason])}\n`)
      io.out(
        work.isJson
          ? `${JSON.stringify({ path: scored.path, score: value ?? null, class: is })}\n`
          : `${tabbed([scored.path, value ?? '-', is])}\n`,
      )
    }
  if (unread > 0)
    throw new CliError(
      'notFound',
      `${counted(unread, 'file')} could not be read`,
      'The lines above name them; all others were scored.',
    )
}

type Scored =
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | {
      readonly kind: 'scored'
      readonly path: string
      /** Undefined: it could not be judged, for this reason. */
      readonly score?: number
      readonly class: string
      readonly reason?: string
    }

async function score(file: MailFile, judge: OfflineJudge): Promise<Scored> {
  if (file.kind === 'unreadable') return file
  const { path } = file
  const unscannable = (reason: string): Scored => ({
    kind: 'scored',
    path,
    class: 'unscannable',
    reason,
  })
  if (file.kind === 'tooLong') return unscannable(file.reason)
  let failed: string | undefined
  const source: OctetSource = {
    sizeBytes: file.source.sizeBytes,
    read: (offset, length) =>
      file.source.read(offset, length).catch((thrown: unknown) => {
        failed = (thrown as NodeJS.ErrnoException).code ?? messageOf(thrown)
        throw thrown
      }),
  }
  const verdict = await judge.judge(source)
  if (failed !== undefined) return { kind: 'unreadable', path, reason: failed }
  if (!verdict.degraded.includes('judge'))
    return { kind: 'scored', path, score: verdict.score, class: verdict.class }
  const { virus } = verdict
  if (virus.kind === 'unavailable')
    throw new CliError('unavailable', `no judge: ${virus.reason}`, 'Try again.')
  return unscannable(virus.kind === 'unscannable' ? virus.reason : 'not judged')
}
