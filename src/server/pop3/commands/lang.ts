import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { BOTH } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import { LANGUAGES, languageOf } from '#server/pop3/words.ts'

/** RFC 6856 §3: the language of what is said to people; without an argument those that there are. */
export const lang: Pop3Handler = {
  verb: 'LANG',
  states: BOTH,
  async run(session, args) {
    const [range] = args
    if (range === undefined) {
      session.ok(session.words.languages)
      for (const { tag, name } of LANGUAGES) session.put(toLatin1(fromUtf8(`${tag} ${name}\r\n`)))
      return session.put('.\r\n')
    }
    const language = args.length === 1 ? languageOf(range) : undefined
    if (language === undefined) return session.error(session.words.unknownLanguage)
    session.words = language.words
    session.ok(`${language.tag} ${language.words.language}`)
  },
}
