import { afterEach, beforeEach, describe } from 'node:test'
import { aclContract } from './acl.contract.ts'
import { Bench } from './contract-bench.ts'
import type { MailboxesUnderTest } from './contract-bench.ts'
import { deliveryContract } from './delivery.contract.ts'
import { emailsContract } from './emails.contract.ts'
import { importContract } from './import.contract.ts'
import { eventsContract } from './events.contract.ts'
import { junkContract } from './junk.contract.ts'
import { messagesContract } from './messages.contract.ts'
import { objectsContract } from './objects.contract.ts'
import { purgeContract } from './purge.contract.ts'
import { quotaContract } from './quota.contract.ts'
import { retentionContract } from './retention.contract.ts'
import { sharedEmailsContract } from './shared-emails.contract.ts'
import { treeContract } from './tree.contract.ts'
import { viewsContract } from './views.contract.ts'

/** What every mail store does, whatever lies between it and its disk. */
export function mailboxContract(name: string, open: () => Promise<MailboxesUnderTest>): void {
  describe(`mail store contract: ${name}`, () => {
    let parts: MailboxesUnderTest
    beforeEach(async () => {
      parts = await open()
    })
    afterEach(() => parts.end())
    const bench = (): Bench => new Bench(parts)

    junkContract(bench)
    eventsContract(bench)
    messagesContract(bench)
    viewsContract(bench)
    treeContract(bench)
    importContract(bench)
    deliveryContract(bench)
    emailsContract(bench)
    objectsContract(bench)
    purgeContract(bench)
    retentionContract(bench)
    quotaContract(bench)
    aclContract(bench)
    sharedEmailsContract(bench)
  })
}
