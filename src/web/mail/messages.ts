import type { Desk } from './desk.ts'
import { htmlToText } from './html-text.ts'
import { BODY_BYTES_MAX, MESSAGE_PROPERTIES } from './nouns.ts'
import type { Message } from './nouns.ts'

/** The message with its text; null where there is none any more. */
export async function loadMessage(desk: Desk, id: string): Promise<Message | null> {
  const { accountId } = desk.accountOf(id)
  const answer = await desk.client.call('Email/get', {
    ...(accountId !== undefined && { accountId }),
    ids: [id],
    properties: MESSAGE_PROPERTIES,
    bodyProperties: ['partId', 'blobId', 'size', 'name', 'type'],
    fetchTextBodyValues: true,
    maxBodyValueBytes: BODY_BYTES_MAX,
  })
  const [found] = answer['list'] as Message[]
  if (found === undefined) return null
  const message = { ...found, accountId }
  desk.learn(message)
  return message
}

/** The readable text of a message, HTML as text. */
export const textOf = (message: Message): string =>
  message.textBody
    .flatMap(({ partId, type }) => {
      const value = message.bodyValues[partId]?.value
      if (value === undefined) return []
      return type === 'text/html' ? htmlToText(value) : value
    })
    .join('\n')
