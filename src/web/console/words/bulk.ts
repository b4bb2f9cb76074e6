import type { Sentences } from '#web/parts/words.ts'

/** What is done with many people at once, now or on a day. */
export const BULK: Sentences = {
  en: {
    'bulk.chosen_one': 'One person',
    'bulk.chosen_other': '{{number}} people',
    'bulk.choose': 'Choose {{address}}',
    'bulk.chooseHead': 'Choice',
    'bulk.all': 'Choose all found',
    'bulk.change': 'Change …',
    'bulk.title_one': 'Change one person',
    'bulk.title_other': 'Change {{number}} people',
    'bulk.act': 'Account',
    'bulk.actNone': 'stays as it is',
    'bulk.actDisable': 'disable',
    'bulk.actEnable': 'enable',
    'bulk.addTags': 'Tags to add',
    'bulk.removeTags': 'Tags to take away',
    'bulk.would':
      'Nothing is done yet. It would be: {{changed}} changed, {{same}} the same, {{refused}} refused.',
    'bulk.done': 'It is done: {{changed}} changed, {{same}} the same, {{refused}} refused.',
    'bulk.undone':
      'It is as it was: {{changed}} put back, {{refused}} refused since they have changed meanwhile.',
    'bulk.undo': 'Undo',
    'bulk.do_one': 'Change one person',
    'bulk.do_other': 'Change {{number}} people',
    'bulk.of.tags': 'tags',
    'bulk.of.startsOn': 'first day',
    'bulk.of.expiresOn': 'last day',
    'bulk.of.disabled': 'disabled or enabled',
  },
  ja: {
    'bulk.chosen': '{{number}} 人を選択中',
    'bulk.choose': '{{address}} を選択',
    'bulk.chooseHead': '選択',
    'bulk.all': '検索結果をすべて選択',
    'bulk.change': '一括変更…',
    'bulk.title': '{{number}} 人を一括変更',
    'bulk.act': 'アカウント',
    'bulk.actNone': '変更しない',
    'bulk.actDisable': '利用を停止する',
    'bulk.actEnable': '利用を再開する',
    'bulk.addTags': '追加するタグ',
    'bulk.removeTags': '外すタグ',
    'bulk.would':
      'まだ何も変更していません。実行すると、変更 {{changed}} 人、変更なし {{same}} 人、拒否 {{refused}} 人になります。',
    'bulk.done':
      '変更しました。変更 {{changed}} 人、変更なし {{same}} 人、拒否 {{refused}} 人です。',
    'bulk.undone':
      '元に戻しました。{{changed}} 人を戻し、その後に変更された {{refused}} 人は拒否しました。',
    'bulk.undo': '元に戻す',
    'bulk.do': '{{number}} 人を変更する',
    'bulk.of.tags': 'タグ',
    'bulk.of.startsOn': '利用開始日',
    'bulk.of.expiresOn': '利用終了日',
    'bulk.of.disabled': '停止・再開',
  },
}
