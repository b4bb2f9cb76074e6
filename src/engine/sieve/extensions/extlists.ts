import type { SieveExtension } from '#engine/sieve/language.ts'

/** `:list`, which `match.ts` takes, and the test for the lists there are (RFC 6134 §2.7). */
export const extlists: SieveExtension = {
  names: { extlists: 'RFC 6134' },
  tests: {
    valid_ext_list: {
      needs: 'extlists',
      compile(args) {
        const lists = args.texts('names of lists')
        return (run) => lists.of(run).every((list) => run.message.lists?.has(list) ?? false)
      },
    },
  },
}
