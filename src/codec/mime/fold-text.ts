/**
 * Text in the form in which it is compared: full and half width, case, and the dashes and waves
 * that Japanese charsets map in several ways are one; a line's end between two characters of a
 * script without blanks is none.
 */
export function foldText(text: string): string {
  if (/^[\u0000-\u007f]*$/.test(text)) return text.toLowerCase()
  return text
    .replace(/([^\u0000-\u007f])\r?\n(?=[^\u0000-\u007f])/g, '$1')
    .normalize('NFKC')
    .replace(/[\u301c\uff5e\u223c]/g, '~')
    .replace(/[\u2010-\u2015\u2212\uff0d]/g, '-')
    .toLowerCase()
}
