import type { Installation } from './installation.ts'
import { wire } from './wire.ts'
import type { Wire } from './wire.ts'

/** Sends a line; the first line of the answer. */
export const ask = async (pop: Wire, line: string): Promise<string> => {
  pop.send(`${line}\r\n`)
  return pop.until(/\r\n/)
}

/** A session of POP3 over TLS, logged in as hanako; rejects where another has the maildrop. */
export async function pop3(watari: Installation): Promise<Wire> {
  const pop = await wire(watari.port(995), { tlsCa: watari.ca })
  await pop.until(/\r\n/)
  await ask(pop, 'USER hanako')
  const answer = await ask(pop, `PASS ${watari.password('hanako')}`)
  if (answer.startsWith('+OK')) return pop
  pop.close()
  throw new Error(answer)
}
