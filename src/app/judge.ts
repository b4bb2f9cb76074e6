import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { messageOf } from '#base/outcome.ts'
import { arrivedAtMs } from '#engine/scan/facts.ts'
import { scanMessage } from '#engine/scan/scan.ts'
import { eicarScanner } from '#engine/scan/virus.ts'
import { authenticateSender } from '#engine/sender/authenticate.ts'
import type { AuthResult } from '#model/verdict.ts'

import type { FromJudge, JudgeWork, ToJudge } from './judging/judge-messages.ts'

/**
 * The process that parses hostile mail: without files, network or children of its own, ended by its
 * parent when a message takes too long or too much. DNS is asked of the parent.
 */
const messages = new Map<number, { readonly work: JudgeWork; readonly octets: Octets[] }>()
const questions = new Map<
  number,
  { resolve(records: readonly unknown[]): void; reject(cause: Error): void }
>()
let nextQuestion = 1
const SCANNERS = [eicarScanner] as const

const tell = (message: FromJudge): void => {
  process.send?.(message)
}

process.on('message', (message: ToJudge) => {
  switch (message.kind) {
    case 'begin':
      messages.set(message.id, { work: message.work, octets: [] })
      return
    case 'octets':
      messages.get(message.id)?.octets.push(message.octets)
      return
    case 'end': {
      const whole = messages.get(message.id)
      messages.delete(message.id)
      if (whole !== undefined) void judge(message.id, whole.work, whole.octets)
      return
    }
    case 'answer': {
      const question = questions.get(message.question)
      questions.delete(message.question)
      if (message.records !== undefined) question?.resolve(message.records)
      else question?.reject(Object.assign(new Error(message.code), { code: message.code }))
    }
  }
})
process.on('disconnect', () => process.exit(0))

async function judge(id: number, work: JudgeWork, octets: readonly Octets[]): Promise<void> {
  try {
    const content = octets.length === 0 ? emptyOctets : concatOctets(octets)
    const auth = work.isForeign ? await senderResults(id, work, content) : []
    const nowMs = work.nowMs ?? arrivedAtMs(content)
    const { hits, virus } = await scanMessage(content, { ...work, nowMs, auth }, SCANNERS)
    tell({ kind: 'findings', id, auth, hits, virus })
  } catch (thrown) {
    tell({ kind: 'failed', id, reason: messageOf(thrown) })
  }
}

async function senderResults(
  id: number,
  work: JudgeWork,
  content: Octets,
): Promise<readonly AuthResult[]> {
  try {
    return await authenticateSender(content, {
      ip: work.peer.ip,
      helo: work.peer.helo ?? 'unknown',
      reversePath: work.reversePath,
      hostname: 'localhost',
      resolve: (name, type) => ask(id, name, type),
    })
  } catch {
    return [{ method: 'spf', result: 'permerror', properties: [] }]
  }
}

function ask(id: number, name: string, type: string): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const question = nextQuestion++
    questions.set(question, { resolve, reject })
    tell({ kind: 'ask', id, question, name, type })
  })
}

tell({ kind: 'ready' })
