import type { ForeignList } from '#model/foreign-list.ts'
import type { DemoPerson } from './people.ts'

/** A list with what was posted to it up to now, oldest first. */
export interface DemoList {
  readonly list: ForeignList
  readonly posts: readonly {
    /** User name of a member. */
    readonly by: string
    readonly subject: string
    readonly text: string
    /** The place of the post that it answers. */
    readonly answers?: number
  }[]
}

/** Lists of every kind of policy; who is in them follows from what people are tagged with. */
export function demoLists(people: readonly DemoPerson[], domain: string): DemoList[] {
  const tagged = (...tags: string[]): string[] =>
    people
      .filter((each) => tags.every((tag) => each.tags.includes(tag)))
      .map((each) => each.username)
  const list = (
    name: string,
    members: readonly string[],
    more: Partial<ForeignList> & Pick<ForeignList, 'name' | 'owners'>,
  ): ForeignList => ({
    address: `${name}@${domain}`,
    moderators: [],
    members: members.map((each) => ({
      address: each.includes('@') ? each : `${each}@${domain}`,
      delivery: 'each',
    })),
    left: [],
    ...more,
    owners: more.owners.map((each) => `${each}@${domain}`),
  })
  return [
    {
      list: list('zenkyoshokuin', tagged('教職員'), {
        name: '全教職員',
        description: '全教職員へのお知らせ。投稿は事務局のみ。',
        owners: ['kimura.noriko', 'hayashi.makoto'],
        posting: 'announce',
        others: 'refuse',
        subscription: 'closed',
        subjectTag: '[全教職員:%n]',
        language: 'ja',
      }),
      posts: [
        {
          by: 'kimura.noriko',
          subject: '年末年始の休業について',
          text: '12月28日から1月4日まで休業いたします。',
        },
        {
          by: 'hayashi.makoto',
          subject: '新しいメールシステムへの移行',
          text: 'メールシステムを移行します。アドレスも設定も、そのままお使いいただけます。',
        },
      ],
    },
    {
      list: list('econ-seminar', ['tanaka.hiroshi', 'hanako', ...tagged('学生', '経済学部')], {
        name: '経済学ゼミ',
        description: '経済学部のゼミの連絡',
        owners: ['tanaka.hiroshi'],
        posting: 'members',
        subjectTag: '[ゼミ:%n]',
        replyTo: 'list',
        language: 'ja',
      }),
      posts: [
        {
          by: 'tanaka.hiroshi',
          subject: '次回の発表',
          text: '次回は青木さんと石川さんに発表をお願いします。',
        },
        {
          by: 'e25001',
          subject: 'Re: 次回の発表',
          text: '承知しました。資料は前日までに送ります。',
          answers: 0,
        },
      ],
    },
    {
      list: list(
        'exchange',
        [...tagged('国際交流室'), ...tagged('留学生'), 'guest@partner.example'],
        {
          name: 'Exchange students',
          description: 'News and questions of exchange students and their advisers',
          owners: ['emma.clarke'],
          posting: 'moderated',
          subscription: 'approve',
          subjectTag: '[exchange]',
          language: 'en',
        },
      ),
      posts: [
        {
          by: 'emma.clarke',
          subject: 'Welcome party on Friday',
          text: 'Please join us on Friday at 18:00 in the international house.',
        },
        { by: 'x26003', subject: 'Where do I get my student card?', text: 'Hello, I am new here.' },
      ],
    },
    {
      list: list('yachou', ['hanako', 'taro', 'mori.chika', 'l26003'], {
        name: '野鳥の会',
        description: '渡り鳥を見る会。どなたでも。',
        owners: ['hanako'],
        posting: 'anyone',
        subscription: 'open',
        archive: 'public',
        language: 'ja',
      }),
      posts: [
        {
          by: 'mori.chika',
          subject: 'ツグミが来ました',
          text: '今朝、中庭にツグミがいました。今年は少し早いようです。',
        },
      ],
    },
  ]
}
