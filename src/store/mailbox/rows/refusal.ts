import type { CommitRefusal } from '#store/mailbox/commit.ts'

/** Ends one account's commit: its savepoint is rolled back and the caller is told why. */
export class Refusal extends Error {
  readonly refusal: CommitRefusal
  constructor(code: CommitRefusal['code'], text: string) {
    super(text)
    this.name = 'Refusal'
    this.refusal = { code, text }
  }
}
