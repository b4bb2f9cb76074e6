/** Text in which each kanji of a name has the one form by which it is found: 髙 is 高, 齋 is 斎. */
export const withoutVariants = (text: string): string =>
  VARIANT.test(text) ? text.replace(VARIANTS, (sign) => FORMS.get(sign) ?? sign) : text

/**
 * Forms of one kanji that names are written with, the common one first: what stands in brackets in
 * 常用漢字表 (Cabinet notice 2 of 2010) and beside each other in 人名用漢字別表 (Ordinance for the
 * Family Register Act, table 2), the forms of family names that IPA's MJ縮退マップ leads to one, and 斉
 * with 斎, which people take for one another. NFKC has none of them as one; what it has is not here.
 */
export const NAME_VARIANTS = [
  '高髙 崎﨑嵜碕 辺邊邉 斎齋齊斉 沢澤 浜濱濵 島嶋嶌 富冨 峰峯 広廣 国國圀 桜櫻 竜龍 滝瀧 関關',
  '塩鹽 渋澁澀 静靜 真眞 恵惠 徳德 寿壽 実實 学學斈 栄榮 円圓 桧檜 条條 増增 万萬 与與 豊豐 蔵藏',
  '荘莊 芦蘆 芸藝 遥遙 弥彌 彦彥 晋晉 会會 亀龜 亜亞 為爲 壱壹 瑶瑤 尭堯 槙槇 土圡 柳栁 桑桒 松枩',
  '梅楳 館舘 剣劍劔剱釼 児兒 勲勳 黒黑 黄黃 鶴靏靍 麦麥 曽曾 暁曉 晃晄 浄淨 浅淺 湧涌 満滿 済濟 瀬瀨',
  '点點 当當 砺礪 礼禮 祢禰 秋穐龝 稲稻 穂穗 薮藪籔 糸絲 経經 絵繪 続續 総總 緑綠 縁緣 聡聰 声聲',
  '莱萊 蒋蔣 園薗 蛍螢 衛衞 裏裡 覚覺 観觀 証證 譲讓 賛贊 郷鄕 野埜 鉄鐵鉃 鎮鎭 隣鄰 青靑 頼賴 顕顯',
  '壮壯 奥奧 宝寶 寛寬 将將 巌巖 岳嶽 峡峽 巣巢 帯帶 従從 応應 恒恆 恋戀 悦悅 戸戶 数數 暦曆 来來',
  '様樣 権權 横橫 歓歡 歩步 毎每 気氣 沖冲 渓溪 温溫 涼凉 灯燈 県縣 磯礒 禄祿 継繼 群羣 舎舍 郎郞',
  '録錄 双雙 顔顏 鶏鷄 麹麴 柏栢 桝枡 栖棲 慎愼 仏佛 侠俠 伝傳 凛凜 効效 区區 厳嚴 参參 叡睿 図圖',
  '兎兔 卯夘 多夛 籠篭 吉𠮷',
]
  .join(' ')
  .split(' ')

const FORMS: ReadonlyMap<string, string> = new Map(
  NAME_VARIANTS.flatMap((group) => {
    const [common = '', ...others] = group
    return others.map((other) => [other, common] as const)
  }),
)
const VARIANT = new RegExp(`[${[...FORMS.keys()].join('')}]`, 'u')
const VARIANTS = new RegExp(VARIANT.source, 'gu')
