import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'

/** What the thread is asked, and what it answers. */
export interface BcryptQuestion {
  readonly id: number
  readonly password: string
  readonly hash: string
}

export interface BcryptAnswer {
  readonly id: number
  readonly isRight: boolean
}

// A bcrypt check works for a tenth of a second and more: nobody's session waits for it.
parentPort?.on('message', ({ id, password, hash }: BcryptQuestion) => {
  parentPort?.postMessage({ id, isRight: compareSync(password, hash) } satisfies BcryptAnswer)
})
