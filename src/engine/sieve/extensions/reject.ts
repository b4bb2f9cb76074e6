import type { SieveCommandRule, SieveExtension } from '#engine/sieve/language.ts'

const rule = (needs: string): SieveCommandRule => ({
  needs,
  compile(args) {
    const reason = args.text('a reason')
    return (run) => {
      run.cancelImplicitKeep()
      run.act({ kind: 'reject', reason: reason.of(run) })
    }
  },
})

export const reject: SieveExtension = {
  names: { reject: 'RFC 5429 §2.2', ereject: 'RFC 5429 §2.1' },
  commands: { reject: rule('reject'), ereject: rule('ereject') },
}
