/** One message of Asterisk: an event, or the response to an action. */
export interface AmiMessage {
  /** The value of `Event` or `Response`, as sent. */
  readonly name: string;
  /** By lower-case name. Of a header that came more than once, the first: what is appended later may be forged. */
  readonly headers: ReadonlyMap<string, string>;
  /** All values, in order, of the headers that came more than once. */
  readonly repeated: ReadonlyMap<string, readonly string[]>;
}

/** Every value of one header (lower-case name), in order; empty when it did not come. */
export function values(message: AmiMessage, header: string): readonly string[] {
  const first = message.headers.get(header);
  return message.repeated.get(header) ?? (first === undefined ? [] : [first]);
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  // A header named like a member of Object.prototype arrives as an array that begins with that member.
  if (Array.isArray(value)) return value.filter((entry) => typeof entry === 'string');
  // `Variable` and `ChanVariable` arrive split at the first `=`; the response to a Getvar has a name only.
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]) => {
    if (typeof entry !== 'string') return [];
    return entry === '' ? [name] : [`${name}=${entry}`];
  });
}

/** The first text of a header in a message as asterisk-manager hands it out. */
export function firstText(item: object, header: string): string | undefined {
  return Object.hasOwn(item, header) ? strings((item as Record<string, unknown>)[header])[0] : undefined;
}

/** A message as asterisk-manager hands it out (names in lower case, values of several shapes), made plain. */
export function toMessage(item: object, name: string): AmiMessage {
  const headers = new Map<string, string>();
  const repeated = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(item)) {
    const all = strings(value);
    if (all[0] === undefined) continue;
    headers.set(key, all[0]);
    if (all.length > 1) repeated.set(key, all);
  }
  return { name, headers, repeated };
}

/**
 * Headers as asterisk-manager takes them, names in lower case. It trims names, so that the copies of a repeated header
 * are told apart by blanks; it sorts lines, so that their order is lost (none of our actions minds).
 */
export function toRecord(headers: [string, string][]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [key, value] of headers) {
    let name = key.toLowerCase();
    while (name in record) name += ' ';
    record[name] = value;
  }
  return record;
}
