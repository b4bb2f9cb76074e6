import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { sentNow, wasNotBegun, watchAlive } from '#app/web/alive.ts'
import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import type { z } from 'zod'
import { errorBody } from '#contract/admin/common.ts'
import { request } from '#net/http.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'

/** Where the installation is, by the options that every command has. */
export interface Place {
  readonly data: string
  readonly tokenFile?: string
}

const TIMEOUT_MS = 120_000
/** What control did not even begin is asked again so often. */
const AGAIN_MAX = 3
/** Control looks through a whole list for each of its pages. */
const PAGE_ROWS = 10_000
/** What comes from other nodes is asked for in shorter pages. */
const SHORT_PAGE_ROWS = 1_000
const GIVE_TOKEN = 'Give the right one with --token-file FILE or in WATARI_TOKEN.'

/** A page of a list. */
interface Page {
  items: unknown[]
  next?: string | undefined
}

/** Control's `/api/v1` over the socket that DIR/runtime.json names. */
export class Api {
  readonly #place: Place
  readonly #io: CliIo
  #target: Promise<{ readonly socketPath: string; readonly token: string }> | undefined

  constructor(place: Place, io: CliIo) {
    this.#place = place
    this.#io = io
  }

  get<S extends z.ZodType>(path: string, shape: S): Promise<z.infer<S>> {
    return this.#json('GET', path, shape)
  }

  post<S extends z.ZodType>(path: string, shape: S, body?: unknown): Promise<z.infer<S>> {
    return this.#json('POST', path, shape, body)
  }

  put<S extends z.ZodType>(path: string, shape: S, body: unknown): Promise<z.infer<S>> {
    return this.#json('PUT', path, shape, body)
  }

  patch<S extends z.ZodType>(path: string, shape: S, body: unknown): Promise<z.infer<S>> {
    return this.#json('PATCH', path, shape, body)
  }

  delete<S extends z.ZodType>(path: string, shape: S): Promise<z.infer<S>> {
    return this.#json('DELETE', path, shape)
  }

  /** A message or a file as the body. */
  async upload<S extends z.ZodType>(path: string, shape: S, octets: Octets): Promise<z.infer<S>> {
    return this.#send('POST', path, shape, { type: 'application/octet-stream', octets })
  }

  /** All pages of a list as one; other lists that they have (who did not answer) are joined likewise. */
  async all<P extends Page>(path: string, shape: z.ZodType<P>): Promise<Omit<P, 'next'>> {
    const { next: _, ...whole } = await this.some(path, shape, { most: Infinity })
    return whole
  }

  /** The first `most` rows of a list, page after page, with the `next` that goes on from there. */
  async some<P extends Page>(
    path: string,
    shape: z.ZodType<P>,
    { most, after: start }: { readonly most: number; readonly after?: string },
  ): Promise<P> {
    const before = `${path}${path.includes('?') ? '&' : '?'}`
    const page = (rows: number, after?: string): Promise<P> => {
      const limit = String(Math.min(rows, most === Infinity ? PAGE_ROWS : SHORT_PAGE_ROWS))
      const query = new URLSearchParams({ limit, ...(after !== undefined && { after }) })
      return this.get(`${before}${query.toString()}`, shape)
    }
    const whole = await page(most, start)
    while (whole.next !== undefined && whole.items.length < most) {
      const { next, ...lists } = await page(most - whole.items.length, whole.next)
      for (const [name, rows] of Object.entries(lists)) {
        const all = (whole as Readonly<Record<string, unknown>>)[name]
        if (Array.isArray(all) && Array.isArray(rows)) for (const row of rows) all.push(row)
      }
      if (next === undefined) delete whole.next
      else whole.next = next
    }
    return whole
  }

  #json<S extends z.ZodType>(
    method: string,
    path: string,
    shape: S,
    body?: unknown,
  ): Promise<z.infer<S>> {
    const sent =
      body === undefined
        ? undefined
        : { type: 'application/json', octets: Buffer.from(JSON.stringify(body)) }
    return this.#send(method, path, shape, sent)
  }

  async #send<S extends z.ZodType>(
    method: string,
    path: string,
    shape: S,
    sent: { readonly type: string; readonly octets: Octets } | undefined,
  ): Promise<z.infer<S>> {
    this.#target ??= this.#find()
    const { socketPath, token } = await this.#target
    const ask = { method, path, socketPath, token, sent }
    let response = await this.#open(ask)
    // The machine, or control and this process, were held still: nobody has given up.
    for (let again = 1; wasNotBegun(response) && again <= AGAIN_MAX; again++) {
      response.resume()
      response = await this.#open(ask)
    }
    const text = await textOf(response)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      throw new CliError(
        'protocol',
        `control answered ${response.statusCode} with no JSON`,
        'Is another program on its socket?',
      )
    }
    if ((response.statusCode ?? 500) < 400) return shape.parse(value)
    const refused = errorBody.safeParse(value)
    if (!refused.success)
      throw new CliError('protocol', `control answered ${response.statusCode}`, 'Look at its log.')
    const { code, message, remedy } = refused.data.error
    throw new CliError(code, message, code === 'unauthorised' ? GIVE_TOKEN : remedy)
  }

  #open(ask: {
    readonly method: string
    readonly path: string
    readonly socketPath: string
    readonly token: string
    readonly sent: { readonly type: string; readonly octets: Octets } | undefined
  }): Promise<IncomingMessage> {
    return new Promise((done, reject) => {
      const opened = request({
        socketPath: ask.socketPath,
        method: ask.method,
        path: `/api/v1${ask.path}`,
        agent: false,
        timeout: TIMEOUT_MS,
        headers: {
          authorization: `Bearer ${ask.token}`,
          'watari-client': 'cli',
          ...sentNow(),
          ...(ask.sent !== undefined && {
            'content-type': ask.sent.type,
            'content-length': String(ask.sent.octets.byteLength),
          }),
        },
      })
      const watch = watchAlive(ask.socketPath, () => opened.destroy(new Error('no answer')))
      opened.once('close', () => watch.end())
      opened.once('response', (answer) => {
        watch.end()
        done(answer)
      })
      opened.once('timeout', () => opened.destroy(new Error('no answer')))
      opened.once('error', (cause) =>
        reject(
          new CliError(
            'unreachable',
            ...this.#whyNot(`control does not answer: ${messageOf(cause)}`),
          ),
        ),
      )
      opened.end(ask.sent?.octets)
    })
  }

  async #find(): Promise<{ readonly socketPath: string; readonly token: string }> {
    const runtime = join(this.#place.data, 'runtime.json')
    let socketPath: unknown
    try {
      socketPath = (JSON.parse(await readFile(runtime, 'utf8')) as { adminSocket?: unknown })
        .adminSocket
    } catch {
      throw new CliError('unreachable', ...this.#stopped())
    }
    if (typeof socketPath !== 'string')
      throw new CliError('config', `${runtime} names no socket`, this.#startIt())
    return { socketPath, token: await this.#token() }
  }

  async #token(): Promise<string> {
    const { tokenFile, data } = this.#place
    const fromEnv = this.#io.env['WATARI_TOKEN']
    if (tokenFile === undefined && fromEnv !== undefined && fromEnv !== '') return fromEnv
    const path = tokenFile ?? join(data, 'first-run.json')
    try {
      const text = await readFile(path, 'utf8')
      const token: unknown =
        tokenFile === undefined
          ? (JSON.parse(text) as { apiToken?: unknown }).apiToken
          : text.trim()
      if (typeof token === 'string' && token !== '') return token
    } catch {
      // Told below: whatever the reason, the answer is the same.
    }
    throw new CliError('unauthorised', `${path} gives no API token`, GIVE_TOKEN)
  }

  /** A role that has ended is started again; without its supervisor nothing is. */
  #whyNot(trouble: string): readonly [string, string] {
    if (!isRunning(this.#place.data)) return this.#stopped()
    return [trouble, 'It is started again within 10 s: try again, or look at the log of npm start.']
  }

  #stopped(): readonly [string, string] {
    return [`no Watari runs on ${resolve(this.#place.data)}`, this.#startIt()]
  }

  #startIt(): string {
    return `Start it with npm start -- --data ${this.#place.data}, or name its folder with --data DIR.`
  }
}

/** True while the process of DIR/watari.pid lives, as far as it can be seen from here. */
function isRunning(data: string): boolean {
  try {
    process.kill(Number(readFileSync(join(data, 'watari.pid'), 'utf8')), 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
