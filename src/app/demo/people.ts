/** Somebody of the university that a demonstration shows. */
export interface DemoPerson {
  readonly username: string
  readonly name: string
  readonly reading?: string
  /** Faculty or office, and cohort. */
  readonly tags: readonly string[]
  readonly language: 'ja' | 'en'
}

const STAFF = ['教職員', '情報基盤センター']
const ECONOMICS = ['教職員', '経済学部']
const LETTERS = ['教職員', '文学部']
const OFFICE = ['教職員', '事務局']

/** Fifty of them: a name, how it is said, and what people are gathered by. */
export const DEMO_PEOPLE: readonly DemoPerson[] = [
  ...japanese(STAFF, [
    ['sato.yuki', '佐藤 由紀', 'さとう ゆき'],
    ['suzuki.ken', '鈴木 健', 'すずき けん'],
    ['takahashi.mai', '髙橋 舞', 'たかはし まい'],
    ['yamazaki.jun', '山﨑 純', 'やまざき じゅん'],
  ]),
  ...japanese(ECONOMICS, [
    ['tanaka.hiroshi', '田中 博', 'たなか ひろし'],
    ['ito.akiko', '伊藤 明子', 'いとう あきこ'],
    ['watanabe.sho', '渡邉 翔', 'わたなべ しょう'],
    ['nakamura.rie', '中村 理恵', 'なかむら りえ'],
    ['kobayashi.osamu', '小林 修', 'こばやし おさむ'],
  ]),
  ...japanese(LETTERS, [
    ['kato.mizuki', '加藤 瑞希', 'かとう みずき'],
    ['yoshida.kaoru', '𠮷田 薫', 'よしだ かおる'],
    ['matsumoto.aya', '松本 彩', 'まつもと あや'],
    ['inoue.daichi', '井上 大地', 'いのうえ だいち'],
  ]),
  ...japanese(OFFICE, [
    ['kimura.noriko', '木村 典子', 'きむら のりこ'],
    ['hayashi.makoto', '林 誠', 'はやし まこと'],
    ['saito.emi', '齋藤 恵美', 'さいとう えみ'],
    ['shimizu.toru', '清水 徹', 'しみず とおる'],
    ['mori.chika', '森 千佳', 'もり ちか'],
  ]),
  ...japanese(
    ['学生', '経済学部', '2025入学'],
    [
      ['e25001', '青木 陽菜', 'あおき ひな'],
      ['e25002', '石川 蓮', 'いしかわ れん'],
      ['e25003', '上田 葵', 'うえだ あおい'],
      ['e25004', '遠藤 湊', 'えんどう みなと'],
      ['e25005', '岡田 結衣', 'おかだ ゆい'],
      ['e25006', '川口 悠真', 'かわぐち ゆうま'],
      ['e25007', '久保 咲良', 'くぼ さくら'],
    ],
  ),
  ...japanese(
    ['学生', '文学部', '2026入学'],
    [
      ['l26001', '近藤 朝陽', 'こんどう あさひ'],
      ['l26002', '坂本 凛', 'さかもと りん'],
      ['l26003', '柴田 大和', 'しばた やまと'],
      ['l26004', '杉山 芽依', 'すぎやま めい'],
      ['l26005', '高木 律', 'たかぎ りつ'],
      ['l26006', '千葉 詩', 'ちば うた'],
      ['l26007', '土屋 樹', 'つちや いつき'],
      ['l26008', '中島 杏', 'なかじま あん'],
      ['l26009', '西村 颯', 'にしむら そう'],
      ['l26010', '野口 紬', 'のぐち つむぎ'],
    ],
  ),
  ...english(
    ['教職員', '国際交流室'],
    [
      ['emma.clarke', 'Emma Clarke'],
      ['liam.obrien', "Liam O'Brien"],
      ['sofia.rossi', 'Sofia Rossi'],
      ['jose.garcia', 'José García'],
      ['anna.mueller', 'Anna Müller'],
    ],
  ),
  ...english(
    ['学生', '留学生', '2026入学'],
    [
      ['x26001', 'Noah Williams'],
      ['x26002', 'Olivia Brown'],
      ['x26003', 'Chen Wei'],
      ['x26004', 'Nguyễn Thị Lan'],
      ['x26005', 'Kim Min-jun'],
      ['x26006', 'Aarav Patel'],
      ['x26007', 'Fatima Hassan'],
      ['x26008', 'Lucas Silva'],
      ['x26009', 'Elif Yılmaz'],
      ['x26010', 'Ivan Petrov'],
    ],
  ),
]

function japanese(
  tags: readonly string[],
  rows: readonly (readonly [username: string, name: string, reading: string])[],
): DemoPerson[] {
  return rows.map(([username, name, reading]) => ({
    username,
    name,
    reading,
    tags,
    language: 'ja',
  }))
}

function english(
  tags: readonly string[],
  rows: readonly (readonly [username: string, name: string])[],
): DemoPerson[] {
  return rows.map(([username, name]) => ({ username, name, tags, language: 'en' }))
}
