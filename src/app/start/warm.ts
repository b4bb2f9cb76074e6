import { flushCompileCache } from 'node:module'

/*
 * Loads the code of every role, of the storage children, the API and the command line without running
 * any, and leaves it in Node's compile cache. Run by warm-cache.ts with WATARI_WARM set.
 */
await Promise.all([
  import('#app/control.ts'),
  import('#app/store.ts'),
  import('#app/gateway.ts'),
  import('#app/deliver.ts'),
  import('#app/serve.ts'),
  import('#app/storage-child.ts'),
  import('#app/storage/kinds.ts'),
  import('#app/judging/scan-bench.ts'),
  import('#app/cli/run.ts'),
  import('#app/cli/nouns.ts').then(({ NOUNS }) =>
    Promise.all(Object.values(NOUNS).map(({ load }) => load())),
  ),
  import('#server/admin/app.ts'),
])
flushCompileCache()
process.exit(0)
