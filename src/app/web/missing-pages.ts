/** Stands in the HTML of pages where the nonce of the one answer goes. */
export const NONCE = '__NONCE__'

const REASON_LENGTH_MAX = 1_000

/** Stands in for a page that is not there: it is being built, or could not be, for that reason. */
export const missingPage = (reason: string | undefined): string =>
  `<!doctype html>
<html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Watari</title>
<style nonce="${NONCE}">
  body { font: 16px/1.7 "Hiragino Sans","Noto Sans JP","Yu Gothic UI",Meiryo,sans-serif; margin: 15vh auto; max-width: 36em; padding: 0 16px; color-scheme: light dark }
  pre { border: 1px solid; overflow-wrap: anywhere; padding: 8px 12px; white-space: pre-wrap }
</style>
<main>
<h1>Watari 渡り</h1>
${reason === undefined ? COMING : failed(reason)}
</main></html>
`

const COMING = `<p>画面を準備しています。できあがり次第、自動で表示します。メールの送受信は止まっていません。</p>
<p lang="en">The web pages are being built and appear by themselves. Mail goes on meanwhile.</p>
<p>1分以上続くときは、起動時の記録に理由があります。<br>
<span lang="en">If this lasts for more than a minute, the output of <code>npm start</code> has the reason.</span></p>`

const failed = (
  reason: string,
): string => `<p>画面を作れませんでした。メールの送受信は止まっていません。<br>
管理者の方へ: プログラムのファイルを配布されたとおりに戻し（<code>git status</code> で変更を確認、<code>npm ci</code> でパッケージを再取得）、<code>npm start</code> をやり直すと、画面も作り直します。</p>
<p lang="en">The web pages could not be built. Mail goes on without them.<br>
For administrators: bring the program’s files back to what was delivered (<code>git status</code> shows what has changed, <code>npm ci</code> fetches the packages again) and start again: the pages are built anew.</p>
<pre lang="en">${escapeHtml(reason.slice(0, REASON_LENGTH_MAX))}</pre>`

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
