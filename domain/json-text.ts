/** The name of a field as scripts and programs see it: `arrivedAt` is `arrived_at`. */
export const fieldName = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A value as JSON, its field names in snake_case; in one line unless indented. Safe to be shown on a terminal. */
export function jsonText(value: unknown, indent?: number): string {
  // JSON escapes the control characters of ASCII only, and there is another set of them.
  return JSON.stringify(snakeCase(value), undefined, indent).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A value with its field names in snake_case, all the way down. */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [fieldName(key), snakeCase(inner)]));
}
