import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { spamScore } from '#contract/admin/mail.ts'
import { verbOf } from './context.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'
import { octetsOf } from './files.ts'

/** Scoring of files: a higher score means more like spam. */
export function spamCommands(program: Command, io: CliIo): void {
  program
    .command('spam')
    .description('spam judgement')
    .command('score <path...>')
    .description('score each message of folders, mboxes and files: path, score, class')
    .action(async (paths: readonly string[], _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const items: { path: string; score: number; class: string }[] = []
      for (const path of paths)
        for await (const { name, octets } of messagesOf(io, path)) {
          const found = { path: name, ...(await verb.api.upload('/spam/score', spamScore, octets)) }
          items.push(found)
          // One line at once: a large folder takes its time.
          if (!verb.isJson) io.out(`${found.path}\t${found.score}\t${found.class}\n`)
        }
      if (verb.isJson) verb.show({ items }, () => '')
    })
}

interface NamedMessage {
  readonly name: string
  readonly octets: Octets
}

/** The files of a folder and those below it in the order of their names; the messages of an mbox; or one message. */
async function* messagesOf(io: CliIo, path: string): AsyncGenerator<NamedMessage> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CliError(
      'notFound',
      `${path} cannot be read (${cause.code})`,
      'Name a folder, an mbox or a message.',
    )
  })
  if (found.isDirectory()) {
    const entries = await readdir(path, { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1)))
      if (entry.isDirectory() || entry.isFile()) yield* messagesOf(io, join(path, entry.name))
    return
  }
  const octets = await octetsOf(io, path)
  const messages = mboxMessages(octets)
  if (messages === undefined) yield { name: path, octets }
  else
    for (const [index, message] of messages.entries())
      yield { name: `${path}:${index + 1}`, octets: message }
}

const FROM = Buffer.from('From ')
const LF = 0x0a

/** The messages of an mbox (RFC 4155), `>From ` unquoted once; undefined where the octets are none. */
function mboxMessages(octets: Octets): readonly Octets[] | undefined {
  const all = bufferOf(octets)
  if (!all.subarray(0, FROM.byteLength).equals(FROM)) return undefined
  const starts: number[] = []
  for (let at = 0; at >= 0 && at < all.byteLength;) {
    if (all.subarray(at, at + FROM.byteLength).equals(FROM) && isAfterBlank(all, at))
      starts.push(at)
    const end = all.indexOf(LF, at)
    at = end < 0 ? -1 : end + 1
  }
  return starts.map((start, index) => {
    const head = all.indexOf(LF, start)
    const end = starts[index + 1] ?? all.byteLength
    return head < 0 ? all.subarray(end) : unquoted(all.subarray(head + 1, end))
  })
}

/** A `From ` line counts only at the start and after an empty line: quoting is often forgotten. */
function isAfterBlank(all: Buffer, at: number): boolean {
  if (at === 0) return true
  const before = all[at - 2] === 0x0d ? at - 3 : at - 2
  return all[before] === LF
}

const unquoted = (message: Buffer): Octets =>
  Buffer.from(message.toString('latin1').replace(/^>(>*From )/gm, '$1'), 'latin1')
