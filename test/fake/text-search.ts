import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import type { TextSource } from '#store/mailbox/text-source.ts'
import { SearchFeeder } from '#store/search/feeder.ts'
import { FileSearchIndex } from '#store/search/file-search-index.ts'
import { indexedSearch } from '#store/search/text-search.ts'
import type { TextSearch, TextSearchAsk } from '#store/search/text-search.ts'

export interface SearchUnderTest {
  readonly search: TextSearch
  readonly index: FileSearchIndex
  readonly feeder: SearchFeeder
  /** What the index was asked so far. */
  readonly asked: TextSearchAsk[]
}

/** A search index in a folder of its own over a store's texts, gone when the test ends. */
export function textSearch(t: Pick<TestContext, 'after'>, store: TextSource): SearchUnderTest {
  const dir = mkdtempSync(join(tmpdir(), 'watari-text-search-'))
  const index = new FileSearchIndex({ dir, clock: systemClock })
  const parts = { store, index, clock: systemClock, log: silentLog }
  const feeder = new SearchFeeder(parts)
  const search = indexedSearch({ ...parts, feeder })
  const asked: TextSearchAsk[] = []
  t.after(async () => {
    await feeder.close()
    await index.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    index,
    feeder,
    asked,
    search: (ask) => {
      asked.push(ask)
      return search(ask)
    },
  }
}
