import { flushCompileCache } from 'node:module'

/*
 * warm.ts [octets]
 *
 * Loads the code of every role, of the storage children, the API and the command line without running
 * any, and leaves it in Node's compile cache; with `octets` that of processes through which messages pass,
 * for their heap. Run by warm-cache.ts with WATARI_WARM set.
 */
const octets = [
  () => import('#app/store.ts'),
  () => import('#app/gateway.ts'),
  () => import('#app/deliver.ts'),
  () => import('#app/serve.ts'),
  () => import('#app/storage-child.ts'),
  () => import('#app/storage/kinds.ts'),
]
const others = [
  () => import('#app/control.ts'),
  () => import('#app/storage-child.ts'),
  () => import('#app/storage/kinds.ts'),
  () => import('#app/judging/scan-bench.ts'),
  () => import('#app/cli/run.ts'),
  () => import('#server/admin/app.ts'),
  async () => {
    const { NOUNS } = await import('#app/cli/nouns.ts')
    await Promise.all(Object.values(NOUNS).map(({ load }) => load()))
  },
]
await Promise.all((process.argv[2] === 'octets' ? octets : others).map((load) => load()))
flushCompileCache()
process.exit(0)
