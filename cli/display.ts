import stringWidth from 'string-width';

/** Columns of a terminal that a text takes: a Chinese character takes two, a combining mark none. */
export const width = (text: string): number => stringWidth(text);

const graphemes = new Intl.Segmenter();

/** The text if it fits into so many columns, else its beginning and an ellipsis. No character is cut in half. */
export function truncated(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let cut = '';
  let taken = 0;
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
