import type stringWidth from 'string-width';

/** Loaded only where columns are counted, and something is not ASCII. */
let measure: typeof stringWidth | undefined;

/** To be waited for before anything here is called: a pipe needs none of it. */
export async function readyToAlign(): Promise<void> {
  measure ??= (await import('string-width')).default;
}

/** Columns of a terminal that a text takes: a Chinese character takes two, a combining mark none. */
export function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  if (!measure) throw new Error('columns are counted before readyToAlign()');
  return measure(text);
}

let graphemes: Intl.Segmenter | undefined;

/** The text if it fits into so many columns, else its beginning and an ellipsis. No character is cut in half. */
export function truncated(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let cut = '';
  let taken = 0;
  graphemes ??= new Intl.Segmenter();
  for (const { segment } of graphemes.segment(text)) {
    taken += width(segment);
    if (taken > columns - 1) break;
    cut += segment;
  }
  return columns < 1 ? '' : `${cut}…`;
}

/** The text in exactly so many columns, at their left or right end. */
export function fitted(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncated(text, columns);
  const space = ' '.repeat(Math.max(0, columns - width(cut)));
  return align === 'left' ? cut + space : space + cut;
}
