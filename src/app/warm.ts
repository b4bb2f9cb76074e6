import { flushCompileCache } from 'node:module'

/*
 * Loads the code of every role, of the storage children, the API and the command line without running
 * any, and leaves it in Node's compile cache. Run by warm-cache.ts with WATARI_WARM set.
 */
await Promise.all([
  import('./control.ts'),
  import('./store.ts'),
  import('./gateway.ts'),
  import('./deliver.ts'),
  import('./serve.ts'),
  import('./storage-child.ts'),
  import('./storage/kinds.ts'),
  import('./scan-bench.ts'),
  import('./cli/run.ts'),
  import('./cli/nouns.ts').then(({ NOUNS }) =>
    Promise.all(Object.values(NOUNS).map(({ load }) => load())),
  ),
  import('#server/admin/app.ts'),
])
flushCompileCache()
process.exit(0)
