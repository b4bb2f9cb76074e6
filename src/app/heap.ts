/** How much a process may hold before V8 collects. */
export interface HeapLimits {
  /** The young generation; by itself V8 would keep 100 MiB of it after a busy minute, and be no faster. */
  readonly youngMiB: number
  /** Below so much there is no collection of all; absent: V8's own, some 10 MiB above what lives. */
  readonly oldMiB?: number
  /** Octets outside of the heap count towards that, and begin no collection by themselves. */
  readonly countsOctets?: boolean
}

/**
 * Of a process through which messages pass. With 4 MiB of young objects one under load spent a sixth of
 * its time in collections. Octets count as old ones to V8, so that each 10 MiB of them began a collection
 * of all: half of the processor time of FETCH BODY[] in a mailbox store.
 */
export const CARRIES_OCTETS: HeapLimits = { youngMiB: 16, oldMiB: 128 }

/**
 * Of a process that hands messages out. By itself V8 begins a collection of all whenever 64 MiB of octets
 * have come, however few of them live: some seven answers to FETCH BODY[]. Where mail comes in, some 50 MiB
 * more would be kept after a burst.
 */
export const HANDS_OUT_OCTETS: HeapLimits = { ...CARRIES_OCTETS, countsOctets: true }

export const heapFlags = ({
  youngMiB,
  oldMiB,
  countsOctets = false,
}: HeapLimits): readonly string[] => [
  `--max-semi-space-size=${youngMiB}`,
  ...(oldMiB === undefined ? [] : [`--initial-old-space-size=${oldMiB}`]),
  ...(countsOctets ? ['--external-memory-accounted-in-global-limit'] : []),
]
