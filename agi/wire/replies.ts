const SUCCESS = /^200 result=([-0-9A-D*#]*)(?: |$)/;
const REFUSAL = /^(5\d\d)(?: |$)/;

/** The word after `result=` in a 200 answer: a number, or digits that were dialled (none at all: empty). */
export function resultOf(answer: string): string | undefined {
  return SUCCESS.exec(answer)?.[1];
}

/** The three digits of an answer by which Asterisk refuses a command. */
export function refusalOf(answer: string): number | undefined {
  const code = REFUSAL.exec(answer)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** How a refusal of several lines begins: `520-Invalid command syntax`, then free text, then {@link END_OF_USAGE}. */
export const USAGE = '520-';

/** The last line of a long 520 answer. Asterisk before 13.17 glues it to the end of the usage text. */
export const END_OF_USAGE = '520 End of proper usage.';
