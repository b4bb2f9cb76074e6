import type { Socket } from 'node:net'
import { FrameReader, FrameWriter } from './frame.ts'

/** One end of the pipe between a socket process and its storage child. */
export interface PipeEnd {
  /**
   * Sends a value; all that one turn of the event loop sends goes in one write. Octets in it must not
   * change before they are answered. Throws where the value cannot be carried.
   */
  send(value: unknown): void
  /** Sends at once what waits. */
  flush(): void
  destroy(): void
}

export interface PipeListener {
  readonly onValue: (value: unknown) => void
  /** Once: the other end is gone, or has sent what cannot be read. */
  readonly onEnd: () => void
}

/** A frame goes out early once it carries so much: the other end works on it meanwhile. */
const FRAME_RAW_BYTES = 128 * 1024

export function pipeOver(socket: Socket, listener: PipeListener): PipeEnd {
  const reader = new FrameReader()
  let writer: FrameWriter | undefined
  let isScheduled = false
  let hasEnded = false
  const end = (): void => {
    if (hasEnded) return
    hasEnded = true
    socket.destroy()
    listener.onEnd()
  }
  const flush = (): void => {
    if (writer === undefined || hasEnded) return
    const buffers = writer.end()
    writer = undefined
    socket.cork()
    for (const buffer of buffers) socket.write(buffer)
    socket.uncork()
  }
  socket.on('data', (chunk: Buffer) => {
    let values: unknown[]
    try {
      values = reader.feed(chunk)
    } catch {
      end()
      return
    }
    for (const value of values) listener.onValue(value)
  })
  socket.on('error', end)
  socket.on('close', end)
  socket.on('end', end)
  return {
    send(value) {
      if (hasEnded) return
      writer ??= new FrameWriter()
      writer.add(value)
      if (writer.rawBytes >= FRAME_RAW_BYTES) flush()
      else if (!isScheduled) {
        isScheduled = true
        // After the poll phase: everything that this turn's sockets ask for goes together.
        setImmediate(() => {
          isScheduled = false
          flush()
        })
      }
    },
    flush,
    destroy: end,
  }
}
