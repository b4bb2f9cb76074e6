import { isFault, messageOf } from '#base/outcome.ts'
import { parseCommand } from '#codec/imap/command.ts'
import { commandOf } from './commands.ts'
import { append } from './commands/append.ts'
import { dropMessage } from './mailbox/append-message.ts'
import { capabilities } from './session/capabilities.ts'
import { readCommand } from './session/command-reader.ts'
import { usesRows } from './session/command.ts'
import { bad, formatCompletion, unavailable } from './session/completion.ts'
import type { Completion } from './session/completion.ts'
import type { ImapSession } from './session/session.ts'
import type { Selected } from './view/selected.ts'

/** Commands whose message sequence numbers must stay as they are until they are done (RFC 9051 §7.5.1). */
const KEEP_NUMBERS: readonly string[] = ['FETCH', 'STORE', 'SEARCH', 'SORT', 'THREAD']

/** Reads a session's commands one after another, runs them, and answers. */
export class Conversation {
  readonly #session: ImapSession
  #errors = 0

  constructor(session: ImapSession) {
    this.#session = session
  }

  /** Serves until the connection ends. Never rejects. */
  async run(): Promise<void> {
    const session = this.#session
    const { door, out, room, connection } = session
    try {
      out.line(`* OK [CAPABILITY ${capabilities(session)}] ${door.hostname} IMAP4rev1 ready`)
      await out.flush()
      while (!session.ending) await this.#next()
      await session.sayBye()
    } catch (thrown) {
      if (!isFault(thrown, 'closed')) {
        room.log.error('imap.failed', { ip: session.ip, error: messageOf(thrown) })
        session.end('Internal error')
        await session.sayBye().catch(() => undefined)
      }
    } finally {
      session.leave()
      await connection.close()
    }
  }

  async #next(): Promise<void> {
    const session = this.#session
    const received = await readCommand(session.reader, {
      loggedIn: session.account !== undefined,
      idleTimeoutMs: session.idleMs(),
      transferTimeoutMs: () => session.transferMs(),
      proceed: () => session.proceed(),
    })
    switch (received.kind) {
      case 'end':
        return session.ended(received.why)
      case 'fault':
        return this.#answer(received.tag ?? '*', {
          status: 'BAD',
          text: received.text,
          ...(received.code === undefined ? {} : { code: received.code }),
        })
      case 'append': {
        const { tag, command } = received.head
        const run = (): Promise<Completion> => append(session, command, received.message)
        return this.#answer(tag, await this.#guard(run), true)
      }
      case 'badAppend':
        await dropMessage(session, received.message)
        return this.#answer(received.tag ?? '*', bad(received.text))
      case 'command':
        return this.#command(received.text)
    }
  }

  async #command(text: string): Promise<void> {
    const session = this.#session
    const parsed = parseCommand(text)
    if (!parsed.ok) return this.#answer(parsed.error.tag ?? '*', bad(parsed.error.text))
    const { tag, command } = parsed.value
    const handler = commandOf(command)
    if (!handler.states.includes(session.state))
      return this.#answer(tag, bad(`${command.name} is not allowed now`))
    const run = (): Promise<Completion> => handler.run(session, command, tag)
    const completion = await this.#guard(run, usesRows(handler))
    // Who is logged in and gets things done may err now and then, for as long as it stays.
    if (completion.status === 'OK' && !handler.states.includes('greeted')) this.#errors = 0
    const keeps = 'uid' in command && !command.uid && KEEP_NUMBERS.includes(command.name)
    await this.#answer(tag, completion, !keeps)
    if (completion.status !== 'OK') return
    if (command.name === 'STARTTLS') await session.connection.startTls(session.door.identity?.())
    if (command.name === 'COMPRESS') await session.connection.compress()
  }

  /** Runs a command; failures of the world become NO. */
  async #guard(run: () => Promise<Completion>, rows = false): Promise<Completion> {
    const session = this.#session
    let selected: Selected | undefined
    try {
      if (rows) await session.needRows()
      if (session.selected?.view.isBehind === true) await session.caughtUp()
      selected = session.selected
      if (selected !== undefined) selected.busy = true
      return await run()
    } catch (thrown) {
      if (isFault(thrown, 'closed') && session.connection.isGone) throw thrown
      const completion = unavailable(thrown)
      if (completion === undefined) throw thrown
      session.room.log.warn('imap.unavailable', { ip: session.ip, error: messageOf(thrown) })
      return completion
    } finally {
      if (selected !== undefined) selected.busy = false
    }
  }

  async #answer(tag: string, completion: Completion, expunge = false): Promise<void> {
    const session = this.#session
    session.tell(expunge)
    session.out.line(formatCompletion(tag, completion))
    if (completion.status === 'BAD' && ++this.#errors >= session.room.limits.errorsMax)
      session.end('Too many errors')
    if (session.out.full) await session.out.flush()
  }
}
