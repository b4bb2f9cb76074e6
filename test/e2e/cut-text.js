// Runs in a page. Text that nobody can read whole: out of the page, or beyond a box that neither scrolls
// nor says by an ellipsis that there is more; and boxes that have to be scrolled sideways.
;(() => {
  const root = document.documentElement
  const found = []
  const isSeen = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    element.closest('.only-read, title, style, script, option, select') === null
  const nameOf = (element) => element.getAttribute('class') ?? element.localName

  if (root.scrollWidth > root.clientWidth)
    found.push(`the page is ${root.scrollWidth - root.clientWidth} px too wide`)
  for (const box of document.querySelectorAll('body *'))
    if (
      /auto|scroll/.test(getComputedStyle(box).overflowX) &&
      box.scrollWidth > box.clientWidth + 1 &&
      isSeen(box)
    )
      found.push(`${nameOf(box)} scrolls sideways by ${box.scrollWidth - box.clientWidth} px`)

  const why = (rect, from) => {
    for (let box = from; box !== null; box = box.parentElement) {
      const { overflowX, overflowY, textOverflow } = getComputedStyle(box)
      if (/auto|scroll/.test(`${overflowX} ${overflowY}`)) return undefined
      if (!/hidden|clip/.test(`${overflowX} ${overflowY}`)) continue
      const edge = box.getBoundingClientRect()
      if (rect.bottom > edge.bottom + 3 || rect.top < edge.top - 3) return 'cut above or below'
      if (rect.right <= edge.right + 1 && rect.left >= edge.left - 1) continue
      return textOverflow === 'ellipsis' ? undefined : 'cut at the side'
    }
    if (rect.right > root.clientWidth + 1 || rect.left < -1) return 'beyond the page'
    return undefined
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const range = document.createRange()
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent.trim()
    if (text === '' || !isSeen(node.parentElement)) continue
    range.selectNodeContents(node)
    for (const rect of range.getClientRects()) {
      const reason = rect.width === 0 ? undefined : why(rect, node.parentElement)
      if (reason === undefined) continue
      found.push(`${reason}: ${text.slice(0, 60)} (${nameOf(node.parentElement)})`)
      break
    }
  }
  return found
})()
