import { ok } from '#base/outcome.ts'
import { headerLength } from '#codec/mime/header.ts'
import { compileSieve } from '#codec/sieve/compile.ts'
import { sieveContent } from '#engine/deliver/sieve-message.ts'
import { runSieve } from '#engine/sieve/run.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { SieveBench } from '#server/admin/context.ts'

/** Checks and tries scripts for the administration API; nothing is sent or stored. */
export const sieveBench: SieveBench = {
  check: (script) => {
    const compiled = compileSieve(script)
    return Promise.resolve(compiled.ok ? [] : compiled.error)
  },
  test: ({ script, message, envelope }) => {
    const refused = (text: string) => Promise.resolve({ errors: [{ message: text }], actions: [] })
    const compiled = compileSieve(script)
    if (!compiled.ok) return Promise.resolve({ errors: compiled.error, actions: [] })
    const to = parseAddress(envelope.to)
    const from = envelope.from === '' ? ok(null) : parseAddress(envelope.from)
    if (!to.ok || !from.ok) return refused(`${to.ok ? envelope.from : envelope.to}: no address`)
    const run = runSieve(compiled.value, {
      ...sieveContent(message.subarray(0, headerLength(message)), message.byteLength, undefined),
      envelopeFrom: from.value,
      envelopeTo: to.value,
      mailboxExists: () => true,
    })
    if (!run.ok) return refused(run.error.message)
    const actions = run.value.actions.map((action) => ({
      kind: action.kind,
      ...('mailbox' in action && { mailbox: action.mailbox }),
      ...('address' in action && { address: formatAddress(action.address) }),
      ...('flags' in action && { flags: [...action.flags] }),
      ...('reason' in action && { text: action.reason }),
    }))
    const kept = run.value.implicitKeep
      ? [{ kind: 'keep', mailbox: 'INBOX', flags: [...run.value.flags] }]
      : []
    return Promise.resolve({ errors: [], actions: [...actions, ...kept] })
  },
}
