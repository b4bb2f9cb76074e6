import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from '#net/http.ts'

/** Answered by control at once, whatever it works on. */
const ALIVE_PATH = '/alive'
/** How long control may be silent before it is asked whether it is there, and then to say so. */
const SILENT_MS = 4_000
const ANSWER_MS = 4_000
/** A deadline that is noticed so much later was slept through: this very process was held still. */
const LATE_MS = 1_000

/** Names the machine's monotonic time at which a request was sent. */
const SENT_HEADER = 'watari-sent'
/** Less than whoever waits for control waits at least: what was given up is not done later. */
const BEGUN_MS_MAX = SILENT_MS + ANSWER_MS - 1_000
/** Stands on the answer to a request that came too late to be begun. */
const NOT_BEGUN_HEADER = 'watari-not-begun'

/** What a request to control carries, so that it is not begun when its sender has given up. */
export const sentNow = (): Readonly<Record<string, string>> => ({ [SENT_HEADER]: String(nowMs()) })

/** The same for all processes of a machine, and no leap of its clock changes it. */
const nowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/**
 * Answers what needs no work: whether control is there, and a request that waited until its sender
 * gave up (control was held still, or its machine was). True where it was answered.
 */
export function answerEarly(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url === ALIVE_PATH) {
    response.writeHead(204).end()
    return true
  }
  const sentMs = Number(request.headers[SENT_HEADER] ?? Number.NaN)
  if (!(nowMs() - sentMs > BEGUN_MS_MAX)) return false
  response.setHeader(NOT_BEGUN_HEADER, 'yes')
  sendAway(response, 'control was away for too long; nothing was changed')
  return true
}

/** True of an answer that says that its request was never begun: who still waits may ask again. */
export const wasNotBegun = (response: IncomingMessage): boolean =>
  response.headers[NOT_BEGUN_HEADER] !== undefined

/** 503 in the API's form. */
export function sendAway(response: ServerResponse, message: string): void {
  const remedy = 'Try again in some seconds; mail goes on without it.'
  response.writeHead(503, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { code: 'unavailable', message, remedy } }))
}

/**
 * While an answer of control is awaited: asks it again and again whether it is there at all, and
 * calls `gone` once it is not. A long work of control may last; a stopped one is known in 8 s. Whoever
 * was itself held still (a frozen machine) has not listened, and asks once more.
 */
export function watchAlive(socketPath: string, gone: () => void): { end(): void } {
  let timer: NodeJS.Timeout
  let hasEnded = false
  const later = (): void => {
    timer = setTimeout(ask, SILENT_MS)
  }
  const ask = (): void => {
    const askedMs = nowMs()
    const asked = request({ socketPath, path: ALIVE_PATH, agent: false, timeout: ANSWER_MS })
    asked.once('response', (answer) => {
      answer.resume()
      if (!hasEnded) later()
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.once('error', () => {
      if (hasEnded) return
      if (nowMs() - askedMs > ANSWER_MS + LATE_MS) ask()
      else gone()
    })
    asked.end()
  }
  later()
  return {
    end: () => {
      hasEnded = true
      clearTimeout(timer)
    },
  }
}
