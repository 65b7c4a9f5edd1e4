import { isIP } from 'node:net';

/** A kind of setting: what it accepts, and the rule to say when it does not. Values may be secrets and are never repeated. */
export interface Kind<T> {
  readonly rule: string;
  /** The value as star64 uses it, undefined when it breaks the rule. The environment has only text. */
  readonly read: (given: unknown) => T | undefined;
}

const matching = (pattern: RegExp, rule: string): Kind<string> => ({
  rule,
  read: (given) => (typeof given === 'string' && pattern.test(given) ? given : undefined),
});

/** Text in one line, not empty. */
// eslint-disable-next-line no-control-regex -- to refuse them is the point
export const line = (rule: string): Kind<string> => matching(/^[^\u0000-\u001f\u007f]+$/, rule);

export const directory = line('must be a directory');

export const host = matching(
  /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/,
  'must be a host name or an IP address, for example 127.0.0.1',
);

export const sipServer = matching(
  /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/,
  'must be host or host:port, for example pbx.example.org:5060',
);

export const token = matching(
  /^[A-Za-z0-9]{24,128}$/,
  'must be 24 to 128 letters and digits, or be left out',
);

export const node = matching(/^[A-Za-z0-9-]{1,40}$/, 'must be 1 to 40 letters, digits and hyphens');

export const asteriskVersion = matching(
  /^[0-9]{2}(\.[0-9]{1,3}){0,2}$/,
  'must be a version of Asterisk, as 18, 22 or 20.15.2 (in quotes in the file)',
);

/** Whom a file belongs to. */
export const account = matching(
  /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/,
  'must be the name of a user or group of this machine',
);

/** A command in words: a list, or one text with blanks. No shell reads it. */
export const words = (rule: string): Kind<string[]> => ({
  rule,
  read: (given) => {
    const all: unknown = typeof given === 'string' ? given.trim().split(/ +/) : given;
    const isWord = (one: unknown): one is string => typeof one === 'string' && /^[!-~]+$/.test(one);
    return Array.isArray(all) && all.length > 0 && all.every(isWord) ? all : undefined;
  },
});

export const whole = (from: number, to: number): Kind<number> => ({
  rule: `must be a whole number from ${from} to ${to}`,
  read: (given) => {
    const number = typeof given === 'string' && /^[0-9]{1,9}$/.test(given) ? Number(given) : given;
    return typeof number === 'number' && Number.isInteger(number) && number >= from && number <= to
      ? number
      : undefined;
  },
});

export const oneOf = <const T extends string>(words: readonly T[]): Kind<T> => ({
  rule: `must be one of ${words.join(', ')}`,
  read: (given) => words.find((word) => word === given),
});

const yes: readonly unknown[] = [true, 'true', 'on', 'yes', '1'];
const no: readonly unknown[] = [false, 'false', 'off', 'no', '0'];

export const yesNo: Kind<boolean> = {
  rule: 'must be true or false',
  read: (given) => (yes.includes(given) ? true : no.includes(given) ? false : undefined),
};

/** Addresses as Asterisk reaches them: a list, or one text with commas. */
export const servers: Kind<string[]> = {
  rule: 'must be a list of host:port, for example 10.0.0.1:4573,10.0.0.2:4573',
  read: (given) => {
    const list: unknown[] = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : [];
    const all = Array.isArray(given) ? (given as unknown[]) : list;
    const isServer = (one: unknown): one is string =>
      typeof one === 'string' &&
      /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/.test(one);
    return all.length > 0 && all.every(isServer) ? all : undefined;
  },
};

/** Networks, as `10.1.0.0/16` or one address: a list, or one text with commas. */
export const networks: Kind<string[]> = {
  rule: 'must be a list of networks, for example 10.1.0.0/16,192.168.7.9',
  read: (given) => {
    const list: unknown[] = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : [];
    const all = Array.isArray(given) ? (given as unknown[]) : list;
    const isNetwork = (one: unknown): one is string => {
      const [address = '', bits, ...more] = typeof one === 'string' ? one.split('/') : [];
      const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
      return (
        more.length === 0 &&
        (bits === undefined ? most > 0 : /^[0-9]{1,3}$/.test(bits) && Number(bits) <= most)
      );
    };
    return all.length > 0 && all.every(isNetwork) ? all : undefined;
  },
};

/**
 * Origins of pages (RFC 6454), each in the very form in which browsers send it, since it is compared letter by letter: a list,
 * or one text with commas. None stands for several: whoever may be anybody is no list.
 */
export const origins: Kind<string[]> = {
  rule: 'must be a list of origins as browsers send them, for example https://crm.example.org,http://localhost:8080: http or https, a host in small letters, a port only if it is not 80 or 443, nothing behind it, and no *',
  read: (given) => {
    const list: unknown[] = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : [];
    const all = Array.isArray(given) ? (given as unknown[]) : list;
    const isOrigin = (one: unknown): one is string =>
      typeof one === 'string' &&
      /^https?:\/\/[^*]+$/.test(one) &&
      URL.canParse(one) &&
      new URL(one).origin === one;
    return all.length > 0 && all.every(isOrigin) ? all : undefined;
  },
};

export const databaseUrl: Kind<string> = {
  rule: 'must be a URL like postgres://user:password@host:5432/star64, in which letters such as # / % are written as %23 %2F %25',
  read: (given) => {
    if (typeof given !== 'string' || !/^postgres(ql)?:\/\/\S+$/.test(given)) return undefined;
    try {
      const { username, password, hash } = new URL(given);
      decodeURIComponent(username + password);
      return hash === '' ? given : undefined;
    } catch {
      return undefined;
    }
  },
};
