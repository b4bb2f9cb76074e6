/** Who wrote an event. */
export type NodeId = string & { readonly __brand: 'NodeId' }

/** A fact that a node tells: sequenced, shipped, acked after control's fsync. */
export interface EventRecord {
  readonly node: NodeId
  /** From 1, without gaps, per node and epoch. */
  readonly seq: number
  readonly atMs: number
  /** `receive.accepted`, `judge.verdict`, `queue.delivered`, `store.filed` … */
  readonly name: string
  readonly deliveryId?: string
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}

/** An event before a node has numbered it. */
export type NewEvent = Omit<EventRecord, 'node' | 'seq'>

/** Takes facts; durable soon after, never part of a promise to a peer. */
export interface EventSink {
  emit(event: NewEvent): void
}
