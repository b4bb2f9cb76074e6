import { useQueryClient } from '@tanstack/react-query'

import { useWords } from '#web/parts/language.ts'

import { answerTo, peopleText } from './answering.ts'
import type { Desk } from './desk.ts'
import type { Letters } from './letters.ts'
import { loadMessage, textOf } from './messages.ts'
import type { Message } from './nouns.ts'

/** Opens letters that begin with a message: an answer, or a draft to go on with. */
export function useAnswering(
  desk: Desk,
  letters: Letters,
): {
  readonly reply: (id: string, toAll: boolean) => Promise<void>
  readonly edit: (id: string) => Promise<void>
} {
  const { t, language } = useWords()
  const client = useQueryClient()
  const load = async (id: string): Promise<Message | undefined> => {
    try {
      const message = await client.fetchQuery({
        queryKey: ['message', desk.client.accountId, id],
        queryFn: () => loadMessage(desk, id),
        staleTime: Infinity,
      })
      return message ?? undefined
    } catch {
      desk.telling.tell(t('told.away'), { isTrouble: true })
      return undefined
    }
  }
  return {
    reply: async (id, toAll) => {
      const message = await load(id)
      if (message === undefined) return
      const own = desk.identities.map(({ email }) => email)
      letters.begin(
        answerTo(message, textOf(message), {
          toAll,
          own,
          language,
          said: ({ name, date }) => t('letter.said', { name, date }),
        }),
      )
    },
    edit: async (id) => {
      const message = await load(id)
      if (message === undefined) return
      const { inReplyTo, references } = message
      letters.begin(
        {
          to: peopleText(message.to ?? []),
          cc: peopleText(message.cc ?? []),
          subject: message.subject ?? '',
          text: textOf(message),
          ...(inReplyTo !== null && {
            answers: { id: '', messageId: inReplyTo, references: references ?? inReplyTo },
          }),
        },
        {
          bcc: peopleText(message.bcc ?? []),
          messageId: message.messageId?.[0] ?? `${crypto.randomUUID()}@localhost`,
          draftId: message.id,
        },
      )
    },
  }
}
