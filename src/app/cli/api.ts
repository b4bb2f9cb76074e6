import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import type { z } from 'zod'
import { errorBody } from '#contract/admin/common.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'

/** Where the installation is, by the options that every command has. */
export interface Place {
  readonly data: string
  readonly tokenFile?: string
}

const TIMEOUT_MS = 120_000
const PAGE_ROWS = 1_000

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

  /** A message as the body. */
  async upload<S extends z.ZodType>(path: string, shape: S, message: Octets): Promise<z.infer<S>> {
    return this.#send('POST', path, shape, { type: 'message/rfc822', octets: message })
  }

  /** All pages of a list, one after the other. */
  async all<T>(
    path: string,
    shape: z.ZodType<{ items: T[]; next?: string | undefined }>,
  ): Promise<{ readonly items: readonly T[] }> {
    const items: T[] = []
    let after: string | undefined
    do {
      const query = new URLSearchParams({ limit: String(PAGE_ROWS) })
      if (after !== undefined) query.set('after', after)
      const found = await this.get(
        `${path}${path.includes('?') ? '&' : '?'}${query.toString()}`,
        shape,
      )
      items.push(...found.items)
      after = found.next
    } while (after !== undefined)
    return { items }
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
    const response = await this.#open({ method, path, socketPath, token, sent })
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
    throw new CliError(code, message, remedy)
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
          ...(ask.sent !== undefined && {
            'content-type': ask.sent.type,
            'content-length': String(ask.sent.octets.byteLength),
          }),
        },
      })
      opened.once('response', done)
      opened.once('timeout', () => opened.destroy(new Error('no answer')))
      opened.once('error', (cause) =>
        reject(
          new CliError(
            'unreachable',
            `control does not answer: ${messageOf(cause)}`,
            this.#startIt(),
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
      throw new CliError(
        'unreachable',
        `no Watari runs on ${resolve(this.#place.data)}`,
        this.#startIt(),
      )
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
    throw new CliError(
      'unauthorised',
      `${path} gives no API token`,
      'Give one with --token-file FILE or in WATARI_TOKEN.',
    )
  }

  #startIt(): string {
    return `Start it with npm start -- --data ${this.#place.data}, or name its folder with --data DIR.`
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
