/** Control characters, line separators, and marks that turn the direction of what follows. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** A text in one line: what could move the cursor of a terminal, add a column or turn the line around is replaced. */
export const printable = (text: string): string => text.replace(unprintable, '\ufffd');
