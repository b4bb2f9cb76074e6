import type { Command } from 'commander'
import { done } from '#contract/admin/common.ts'
import {
  asideMails,
  heldPost,
  heldPosts,
  listBounces,
  listPostRecipients,
  listPosts,
  listPostWhole,
  postsDecided,
} from '#contract/admin/posts.ts'

import { numberOf, part, verbOf } from './context.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { fields, lineOf, table } from './print.ts'

const POSTS_MAX = 500

/** Of list: its posts, those that wait, and whom they do not reach. */
export function listPostCommands(noun: Command, io: CliIo): void {
  noun
    .command('posts <list>')
    .description(
      'show what was posted, the newest first; or what waits, or whom posts do not reach',
    )
    .option('--held', 'what waits for a decision')
    .option('--bounces', 'addresses from which posts came back')
    .option('--resume <address>', 'send to an address again from which posts came back')
    .option('--aside', 'mails that could not be worked on, and why')
    .option('--retry <number>', 'work on one of them again')
    .option('--drop <number>', 'delete one of them')
    .option('--text <text>', 'posts with this in subject, author or body')
    .option('--before <number>', 'posts before this one')
    .option('--limit <n>', 'so many', '100')
    .action(async (list: string, options: PostsOptions, command: Command) => {
      const verb = verbOf(command, io)
      const path = `/lists/${part(list)}`
      if (options.resume !== undefined) {
        const { resume: address } = options
        const body = await verb.api.post(`${path}/bounces/resume`, done, { address })
        return verb.show(body, () => lineOf(`posts go to ${address} again`))
      }
      const settled = options.retry ?? options.drop
      if (settled !== undefined) {
        const act = options.retry === undefined ? 'drop' : 'retry'
        const numbers = [Number(numberText(settled))]
        const body = await verb.api.post(`${path}/aside/${act}`, postsDecided, { numbers })
        if (body.items.every(({ end }) => end !== 'done'))
          throw new CliError(
            'notFound',
            `there is no ${settled} among what was put aside`,
            `watari list posts ${list} --aside shows what was.`,
          )
        return verb.show(body, () => lineOf(act === 'drop' ? 'deleted' : 'it is worked on again'))
      }
      if (options.aside === true) {
        const body = await verb.api.get(`${path}/aside`, asideMails)
        return verb.show(body, () =>
          table(
            ['ASIDE', 'SINCE', 'FOR', 'FROM', 'SUBJECT', 'WHY'],
            body.items.map((row) => [
              row.number,
              row.asideAt,
              row.purpose,
              row.from,
              row.subject,
              row.cause,
            ]),
          ),
        )
      }
      if (options.bounces === true) {
        const body = await verb.api.get(`${path}/bounces`, listBounces)
        return verb.show(body, () =>
          table(
            ['ADDRESS', 'SCORE', 'LAST DAY', 'SUSPENDED', 'ANSWER'],
            body.items.map((row) => [
              row.address,
              row.score,
              row.days.at(-1) ?? '',
              row.suspendedAt ?? 'no',
              row.status,
            ]),
          ),
        )
      }
      if (options.held === true) {
        const body = await verb.api.get(`${path}/held`, heldPosts)
        return verb.show(body, () =>
          table(
            ['HELD', 'SINCE', 'REASON', 'PROOF', 'FROM', 'SUBJECT'],
            body.items.map((row) => [
              row.number,
              row.heldAt,
              row.reason,
              row.proof,
              row.from,
              row.subject,
            ]),
          ),
        )
      }
      const query = new URLSearchParams({ limit: String(numberOf(options.limit, POSTS_MAX)) })
      if (options.text !== undefined) query.set('text', options.text)
      if (options.before !== undefined) query.set('before', options.before)
      const body = await verb.api.get(`${path}/posts?${query.toString()}`, listPosts)
      return verb.show(body, () =>
        table(
          ['POST', 'POSTED', 'TO', 'FROM', 'SUBJECT'],
          body.items.map((row) => [
            row.number,
            row.postedAt,
            row.recipients ?? '',
            row.author,
            `${row.waits ? '(waits) ' : ''}${row.subject}`,
          ]),
        ),
      )
    })
  noun
    .command('post <list> <number>')
    .description('show one post, or who received it')
    .option('--recipients', 'who received it')
    .option('--raw', 'its octets')
    .option('--held', 'one that waits, by the numbers of: watari list posts LIST --held')
    .action(async (list: string, n: string, options: PostOptions, command: Command) => {
      const verb = verbOf(command, io)
      if (options.held === true) return heldLetter(verb, list, n)
      const path = `/lists/${part(list)}/posts/${numberText(n)}`
      if (options.recipients === true) {
        const body = await verb.api.get(`${path}/recipients`, listPostRecipients)
        return verb.show(body, () => body.items.map(({ address }) => lineOf(address)).join(''))
      }
      const body = await verb.api.get(path, listPostWhole)
      if (options.raw === true && !verb.isJson)
        return io.out(Buffer.from(body.raw, 'base64').toString('utf8'))
      return verb.show(body, () =>
        fields([
          ['post', body.number],
          ['posted', body.postedAt],
          ['from', body.author],
          ['subject', body.subject],
          ['message id', body.messageId ?? ''],
          ['went to', body.recipients ?? 'nobody knows'],
          ['approved by', body.approvedBy ?? undefined],
          ['withdrawn by', body.withdrawnBy ?? undefined],
          ['text', body.text],
        ]),
      )
    })
  decision(noun, io, {
    verb: 'approve',
    text: 'post what waits, by the numbers of: watari list posts LIST --held',
    path: 'held/approve',
  })
  decision(noun, io, {
    verb: 'reject',
    text: 'end what waits, and tell its author',
    path: 'held/reject',
  })
  decision(noun, io, {
    verb: 'discard',
    text: 'end what waits; nobody is told',
    path: 'held/discard',
  })
  decision(noun, io, {
    verb: 'withdraw',
    text: 'take back posts that have not gone out yet',
    path: 'posts/withdraw',
  })
}

interface PostsOptions {
  readonly held?: true
  readonly bounces?: true
  readonly resume?: string
  readonly aside?: true
  readonly retry?: string
  readonly drop?: string
  readonly text?: string
  readonly before?: string
  readonly limit: string
}

interface PostOptions {
  readonly recipients?: true
  readonly raw?: true
  readonly held?: true
}

async function heldLetter(verb: ReturnType<typeof verbOf>, list: string, n: string): Promise<void> {
  const body = await verb.api.get(`/lists/${part(list)}/held/${numberText(n)}`, heldPost)
  verb.show(body, () =>
    fields([
      ['held', body.number],
      ['since', body.heldAt],
      ['reason', body.reason],
      ['proof', body.proof],
      ...body.fields.map(({ name, value }) => [name.toLowerCase(), value] as const),
      ...body.attachments.map(
        ({ name, type, sizeBytes }) =>
          ['attachment', `${name} (${type}, ${sizeBytes} octets)`] as const,
      ),
      ['verdict', body.verdict === null ? 'none' : `${body.verdict.class} ${body.verdict.score}`],
      ['text', body.text],
    ]),
  )
}

function decision(
  noun: Command,
  io: CliIo,
  of: { readonly verb: string; readonly text: string; readonly path: string },
): void {
  const made = noun.command(`${of.verb} <list> <number...>`).description(of.text)
  if (of.verb === 'reject') made.option('--text <text>', 'what its author is told')
  made.action(
    async (list: string, given: string[], options: { text?: string }, command: Command) => {
      const verb = verbOf(command, io)
      const numbers = given.map((text) => Number(numberText(text)))
      const { text } = options
      const path = `/lists/${part(list)}/${of.path}`
      const body = await verb.api.post(path, postsDecided, {
        numbers,
        ...(text !== undefined && { text }),
      })
      if (body.items.every(({ end }) => end !== 'done'))
        throw new CliError(
          'notFound',
          'none of them could be settled',
          `watari list posts ${list} --held shows what waits.`,
        )
      verb.show(body, () =>
        table(
          ['NUMBER', 'END'],
          body.items.map(({ number, end }) => [number, END_WORDS[end]]),
        ),
      )
    },
  )
}

const END_WORDS = {
  done: 'done',
  notFound: 'there is none, or somebody has decided already',
  conflict: 'it is on its way already',
} as const

function numberText(text: string): string {
  if (/^[1-9]\d{0,9}$/.test(text)) return text
  throw new UsageError(`${text} is no number of a post`)
}
