import { flushCompileCache } from 'node:module'

/*
 * Loads the code of every role and of the storage children without running any, and leaves it in
 * Node's compile cache. Run by warm-cache.ts with WATARI_WARM set.
 */
await Promise.all([
  import('./control.ts'),
  import('./store.ts'),
  import('./gateway.ts'),
  import('./storage/kinds.ts'),
])
flushCompileCache()
process.exit(0)
