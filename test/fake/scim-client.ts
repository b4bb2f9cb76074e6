import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'

export interface ScimAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  // The shape is what the test looks at.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/** An identity provider, as far as it asks one thing after the other. */
export class ScimClient {
  readonly #base: string
  readonly #token: string
  readonly #agent: Agent | undefined

  /** `base` ends with `/scim/v2`, or with `/api/v1` for what SCIM does not tell. */
  constructor({
    base,
    token,
    ca,
  }: {
    readonly base: string
    readonly token: string
    readonly ca?: string
  }) {
    this.#base = base
    this.#token = token
    this.#agent = ca === undefined ? undefined : new Agent({ ca, keepAlive: true })
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ScimAnswer> {
    const content =
      body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const { promise, resolve, reject } = Promise.withResolvers<ScimAnswer>()
    const request = this.#agent === undefined ? httpRequest : httpsRequest
    const sent = request(
      `${this.#base}${path}`,
      {
        method,
        ...(this.#agent && { agent: this.#agent }),
        headers: {
          authorization: `Bearer ${this.#token}`,
          accept: 'application/scim+json, application/json',
          ...(content !== undefined && {
            'content-type': 'application/scim+json',
            'content-length': Buffer.byteLength(content),
          }),
          ...headers,
        },
      },
      (answer) => {
        text(answer).then((got) => {
          if (got !== '' && this.#base.endsWith('/scim/v2'))
            assert.match(String(answer.headers['content-type']), /^application\/scim\+json/)
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: got === '' ? undefined : JSON.parse(got),
          })
        }, reject)
      },
    )
    sent.on('error', reject)
    sent.end(content)
    return promise
  }

  /** The answer's body, which must have this status. */
  async took(status: number, ...asked: Parameters<ScimClient['ask']>): Promise<ScimAnswer['body']> {
    const answer = await this.ask(...asked)
    assert.equal(answer.status, status, `${asked[0]} ${asked[1]}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  close(): void {
    this.#agent?.destroy()
  }
}

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export const patchOf = (...operations: readonly object[]): object => ({
  schemas: [PATCH_OP],
  Operations: operations,
})
