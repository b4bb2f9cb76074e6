import type { Scanner } from './scanner.ts'
import { STAR, readSequenceSet } from './sequence-set.ts'
import type { SequenceSet } from './sequence-set.ts'

/** What a client knows of a mailbox from an earlier session (RFC 7162 §3.2.5). */
export interface KnownState {
  readonly uidValidity: number
  readonly modSeq: bigint
  /** Absent: all UIDs. */
  readonly uids?: SequenceSet
  /** Some of its sequence numbers and the UIDs that they stood for, position by position. */
  readonly matches?: { readonly seqs: SequenceSet; readonly uids: SequenceSet }
}

export interface SelectParams {
  readonly condStore: boolean
  readonly known?: KnownState
}

/** Reads the parameters behind a mailbox name, where there are any. */
export function readSelectParams(scanner: Scanner): SelectParams {
  let condStore = false
  let known: KnownState | undefined
  if (scanner.skip(' '))
    scanner.list(() => {
      const word = scanner.word()
      if (word === 'CONDSTORE') condStore = true
      else if (word === 'QRESYNC' && known === undefined) known = readKnown(scanner)
      else scanner.fail('Unknown SELECT parameter')
    })
  return { condStore, ...(known === undefined ? {} : { known }) }
}

/** ` (uidvalidity modseq [known-uids] [(seqs uids)])` */
function readKnown(scanner: Scanner): KnownState {
  scanner.space()
  scanner.expect('(')
  const uidValidity = scanner.number()
  scanner.space()
  const modSeq = scanner.bigNumber()
  // RFC 7162 §7: mod-sequence-value and UIDVALIDITY are nz-numbers.
  if (uidValidity === 0 || modSeq === 0n) scanner.fail('Zero in QRESYNC')
  let uids: SequenceSet | undefined
  let matches: KnownState['matches']
  let more = scanner.skip(' ')
  if (more && scanner.peek() !== '(') {
    uids = readClosedSet(scanner)
    more = scanner.skip(' ')
  }
  if (more) {
    scanner.expect('(')
    const seqs = readClosedSet(scanner)
    scanner.space()
    matches = { seqs, uids: readClosedSet(scanner) }
    scanner.expect(')')
  }
  scanner.expect(')')
  return {
    uidValidity,
    modSeq,
    ...(uids === undefined ? {} : { uids }),
    ...(matches === undefined ? {} : { matches }),
  }
}

/** RFC 7162 §3.2.5.1, §3.2.5.2: a client names what it knows, so `*` has no meaning. */
function readClosedSet(scanner: Scanner): SequenceSet {
  const set = readSequenceSet(scanner)
  if (set.some((ends) => ends.includes(STAR))) scanner.fail('No * among known numbers')
  return set
}
