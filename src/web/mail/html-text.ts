const BLOCKS = new Set(
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE DD DIV DL DT FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER LI MAIN NAV OL P PRE SECTION TABLE TR UL'.split(
    ' ',
  ),
)
const SILENT = new Set('HEAD SCRIPT STYLE TEMPLATE NOSCRIPT TITLE OBJECT SVG MATH'.split(' '))
const DEPTH_MAX = 400

/**
 * HTML as text. The document is only parsed: it has no window, so nothing of it runs or is fetched.
 * The address of a link stands behind its text, since the text may claim another one.
 */
export function htmlToText(html: string): string {
  const pieces: string[] = []
  visit(new DOMParser().parseFromString(html, 'text/html').body, pieces, 0)
  return pieces
    .join('')
    .replace(/[ \t]*\n[ \t]*/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function visit(node: Node, pieces: string[], depth: number): void {
  if (depth > DEPTH_MAX) return
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) pieces.push((child.nodeValue ?? '').replace(/\s+/g, ' '))
    if (!(child instanceof Element)) continue
    const name = child.tagName.toUpperCase()
    if (SILENT.has(name)) continue
    if (name === 'BR' || name === 'HR') pieces.push('\n')
    else if (name === 'IMG') pieces.push(child.getAttribute('alt') ?? '')
    else {
      const isBlock = BLOCKS.has(name)
      if (isBlock) pieces.push('\n')
      if (name === 'LI') pieces.push('・')
      const from = pieces.length
      visit(child, pieces, depth + 1)
      if (name === 'A') pieces.push(target(child, pieces.slice(from).join('')))
      if (name === 'TD' || name === 'TH') pieces.push(' ')
      if (isBlock) pieces.push(name === 'P' ? '\n\n' : '\n')
    }
  }
}

function target(link: Element, text: string): string {
  const href = (link.getAttribute('href') ?? '').trim()
  if (!/^https?:\/\//i.test(href) || text.includes(href)) return ''
  return ` <${href}>`
}
