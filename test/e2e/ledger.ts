import assert from 'node:assert/strict'

import type { Installation } from './installation.ts'
import { until } from './installation.ts'
import { imap, lineClient, messages } from './mail.ts'

/** What was promised: every message that was answered 250, by its number. */
export class Ledger {
  readonly promised = new Set<string>()
  #sent = 0
  #stopping = false
  #running: Promise<void>[] = []

  /** Sends from several connections at once until `stop`; a connection that dies is made anew. */
  start(watari: Installation, connections: number): void {
    for (let i = 0; i < connections; i++) this.#running.push(this.#sender(watari))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
    this.#running = []
    this.#stopping = false
  }

  async #sender(watari: Installation): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#session(watari)
      } catch {
        // Refused or cut off: whoever sends mail comes back.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  async #session(watari: Installation): Promise<void> {
    const client = await lineClient(watari.port(25))
    try {
      await client.reply()
      await client.command('EHLO load.example')
      while (!this.#stopping) {
        const number = `n${++this.#sent}`
        if (!(await client.command('MAIL FROM:<load@other.example>')).startsWith('250')) return
        if (!(await client.command('RCPT TO:<hanako@campus.example>')).startsWith('250')) return
        if (!(await client.command('DATA')).startsWith('354')) return
        client.send(
          `From: load@other.example\r\nDate: Thu, 26 Nov 2026 22:00:00 +0000\r\nMessage-ID: <${number}@load>\r\nSubject: ${number}\r\n\r\n会議 ${number}\r\n.\r\n`,
        )
        const answer = await client.reply()
        if (answer.startsWith('250')) this.promised.add(number)
      }
    } finally {
      client.close()
    }
  }

  /** Waits for the queue to empty, then looks for each promised message in hanako's INBOX: exactly once. */
  async audit(
    watari: Installation,
    waitMs = 90_000,
  ): Promise<{ readonly promised: number; readonly lost: string[] }> {
    const missing = async (): Promise<Map<string, number>> => {
      const client = await imap(watari, 'hanako')
      try {
        const found = new Map<string, number>()
        for (const message of await messages(client, 'INBOX')) {
          const number = /^Subject: (n\d+)\r$/m.exec(message.toString())?.[1] ?? ''
          found.set(number, (found.get(number) ?? 0) + 1)
        }
        return found
      } finally {
        await client.logout().catch(() => undefined)
      }
    }
    let lost: string[] = []
    let found = new Map<string, number>()
    await until(
      'every promised message is there',
      async () => {
        found = await missing().catch(() => new Map<string, number>())
        lost = [...this.promised].filter((number) => !found.has(number))
        return lost.length === 0
      },
      waitMs,
    ).catch(() => undefined)
    const doubled = [...found].filter(([, times]) => times > 1).map(([number]) => number)
    assert.deepEqual(doubled, [], 'delivered twice')
    return { promised: this.promised.size, lost }
  }
}
