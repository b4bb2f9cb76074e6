import type { IncomingMessage, ServerResponse } from 'node:http'
import { ownAct } from '#contract/admin/choices.ts'
import type { ChoicesBook } from '#server/jmap/room.ts'
import type { Access } from './access.ts'
import { parseJson, readBody } from './body.ts'
import { sendProblem } from './problem.ts'

/** A hundred filters with all their conditions, in Japanese. */
const BODY_BYTES_MAX = 4 * 1024 * 1024

/** GET and POST /auth/choices: one's own, on a page alone. No app password opens it. */
export async function ownChoices(asked: {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly access: Access
  readonly book: ChoicesBook | undefined
}): Promise<void> {
  const { incoming, response, access, book } = asked
  if (access.session === undefined)
    return sendProblem(response, { status: 403, title: 'Log in on the page first' })
  if (book === undefined)
    return sendProblem(response, {
      status: 503,
      title: 'Choices cannot be seen now: try again later',
    })
  if (incoming.method !== 'POST') return send(response, 200, book.view(access.account))
  const limit = { name: 'maxSizeRequest', bytesMax: BODY_BYTES_MAX }
  const act = ownAct.safeParse(parseJson(await readBody(incoming, limit)))
  if (!act.success) {
    const [issue] = act.error.issues
    const where = issue?.path.join('.') ?? ''
    return sendProblem(response, { status: 400, title: `${where}: ${issue?.message ?? 'unknown'}` })
  }
  send(response, 200, await book.act(access.account.id, act.data))
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}
