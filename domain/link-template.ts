import { fail } from './errors.js';
import { quoted } from './names.js';

/** What a link may say about a call: `{caller}` becomes the number of the caller. The one list. */
export const placeholders = {
  team: 'identity of the team',
  group: 'name of the agent group',
  agent: 'number of the agent',
  extension: 'number of the extension',
  caller: "the caller's number, as the trunk gave it",
  did: 'the number that was called',
  number: 'the number of the other side: who called, or was called outside',
  call: "Asterisk's uniqueid of the call",
  direction: 'inbound or outbound',
} as const;

export type Placeholder = keyof typeof placeholders;

const longest = 1000;
const example = 'https://crm.example.org/popup?number={caller}';

/**
 * A link with placeholders, as it may be stored: an http or https URL in one line, whose host has no placeholder, since
 * a caller must not choose the server. Returns it as it was typed.
 */
export function checkLink(what: string, value: string): string {
  const refuse = (rule: string) =>
    fail('invalid_link', {
      facts: { what, rule, placeholders: Object.keys(placeholders) },
      says: `${what} ${quoted(value)} is not allowed (${rule})`,
      remedy: { text: `type for example "${example}"` },
    });
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\s]/u.test(value))
    throw refuse('no spaces, control characters or line breaks');
  if (value.length > longest) throw refuse(`at most ${longest} characters`);
  // Either a whole URL, or one up to the first place where a placeholder may stand.
  const [, origin, rest = ''] = /^(https?:\/\/[^/?#{}\\]+)([/?#].*)?$/i.exec(value) ?? [];
  if (origin === undefined || !URL.canParse(value.replaceAll(/[{}]/g, ''))) {
    throw refuse('an http or https URL without a placeholder in its host');
  }
  const { username, password } = new URL(origin);
  if (username !== '' || password !== '')
    throw refuse('no user name or password in it, which everybody would see');
  const known = rest.replaceAll(/\{([a-z]+)\}/g, (whole, name: string) =>
    Object.hasOwn(placeholders, name) ? '' : whole,
  );
  if (/[{}]/.test(known)) {
    throw refuse(
      `a placeholder is one of ${Object.keys(placeholders)
        .map((name) => `{${name}}`)
        .join(' ')}`,
    );
  }
  return value;
}
