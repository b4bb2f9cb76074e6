import tls from 'node:tls'

import type { Installation } from './installation.ts'

export type Invocation = [name: string, args: Record<string, unknown>, callId: string]

/** A client of one account's, by Basic, over TLS that is checked. */
export interface JmapClient {
  readonly accountId: string
  readonly session: Readonly<Record<string, string>>
  fetch(url: string, init?: RequestInit): Promise<Response>
  /** Responses to one request. */
  request(calls: readonly Invocation[]): Promise<Invocation[]>
  /** The arguments of one call's response, which must not be an error. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
  call(name: string, args?: Record<string, unknown>): Promise<any>
}

export const USING = [
  'urn:ietf:params:jmap:core',
  'urn:ietf:params:jmap:mail',
  'urn:ietf:params:jmap:submission',
  'urn:ietf:params:jmap:quota',
]

/** Where the installation's web door is. Its authority is trusted by this process from now on. */
export function webOrigin(watari: Installation): string {
  tls.setDefaultCACertificates([watari.ca])
  return `https://localhost:${watari.port(443)}`
}

export async function jmap(watari: Installation, username: string): Promise<JmapClient> {
  const origin = webOrigin(watari)
  const login = Buffer.from(`${username}:${watari.password(username)}`).toString('base64')
  const send = (url: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Basic ${login}`)
    return fetch(url, { ...init, headers })
  }
  const response = await send(`${origin}/.well-known/jmap`)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  const session = (await response.json()) as JmapClient['session']
  const primary = session['primaryAccounts'] as unknown as Record<string, string>
  const accountId = primary['urn:ietf:params:jmap:mail']!
  const request: JmapClient['request'] = async (methodCalls) => {
    const answer = await send(session['apiUrl']!, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ using: USING, methodCalls }),
    })
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
    return ((await answer.json()) as { methodResponses: Invocation[] }).methodResponses
  }
  return {
    accountId,
    session,
    fetch: send,
    request,
    call: async (name, args = {}) => {
      const [answer] = await request([[name, { accountId, ...args }, 'c']])
      if (answer?.[0] !== name) throw new Error(JSON.stringify(answer))
      return answer[1]
    },
  }
}

export interface Pushed {
  readonly '@type': string
  readonly changed: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** The state events of an event stream, one after another. */
export async function* pushes(response: Response): AsyncGenerator<Pushed> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = /^event: state\ndata: (.*)$/.exec(text.slice(0, end))
      text = text.slice(end + 2)
      if (event !== null) yield JSON.parse(event[1]!) as Pushed
    }
  }
}
