/**
 * What a number of the public network costs, roughly: national (at home, no mobile), mobile (at home), international, and
 * premium: whatever costs more, and whatever nobody knows the price of.
 */
export const numberClasses = ['national', 'mobile', 'international', 'premium'] as const;
export type NumberClass = (typeof numberClasses)[number];

/** Classes as they are stored: `national,mobile`. */
export const readClasses = (stored: string): NumberClass[] =>
  numberClasses.filter((one) => stored.split(',').includes(one));

/** Each class once, in the order of `numberClasses`. */
export const writeClasses = (classes: readonly string[]): string =>
  numberClasses.filter((one) => classes.includes(one)).join(',');
