import type { Socket } from 'node:net'
import type { Clock } from '#base/time.ts'

/**
 * Ends a connection so that the peer can still read our last words: what it goes on to send is
 * read and dropped until it ends too, or `timeoutMs` have passed. (Closing over unread octets makes
 * the kernel send a reset, which takes the reply with it.)
 */
export function closeSocket(
  socket: Socket,
  wait: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const cancel = wait.clock.after(wait.timeoutMs, () => socket.destroy())
    socket.on('close', () => {
      cancel()
      resolve()
    })
    socket.on('end', () => socket.destroySoon())
    socket.removeAllListeners('readable')
    socket.resume()
    if (socket.readableEnded) socket.destroySoon()
    else socket.end()
  })
}
