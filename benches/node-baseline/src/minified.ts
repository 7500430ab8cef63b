// Files that nobody wrote as they are.

const MIN_UNITS = 8 << 10
/** The mean length of a minified file's lines, and the least of one that is squeezed or data. */
const LONG_LINE = 500
/** Code with data in it has so many lines at least that are none of these, nor blank. */
const MIN_CODE_LINES = 4
/** How many units a semicolon or curly bracket has to itself on a long line of data. */
const MIN_UNITS_PER_SIGN = 400

/** Whether a text was squeezed onto a few long lines, or is nothing but a table of data: there is nothing to read in it. */
export function isMinified(text: string): boolean {
  if (text.length < MIN_UNITS) return false
  let breaks = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    breaks++
    // Most texts are told by their first lines.
    if (text.length < breaks * LONG_LINE) return false
  }
  let [codeLines, long, signs] = [0, 0, 0]
  for (const line of text.split('\n')) {
    if (line.length < LONG_LINE) {
      if (line.trim() !== '') codeLines++
      continue
    }
    long += line.length
    for (const unit of line) if (unit === ';' || unit === '{' || unit === '}') signs++
  }
  return codeLines < MIN_CODE_LINES || signs * MIN_UNITS_PER_SIGN > long
}
