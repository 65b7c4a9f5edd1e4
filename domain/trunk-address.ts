import { fail } from './errors.js';
import { quoted } from './names.js';

/** Where a provider is: an address or a name, and the port if it is said. */
export interface TrunkAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number | null;
  readonly v6: boolean;
}

/** As node:net says it, which `--help` does not load. */
const isIPv6 = (text: string): boolean => text.includes(':') && URL.canParse(`http://[${text}]/`);

const refused = (typed: string): Error =>
  fail('invalid_address', {
    noun: 'trunk',
    facts: { address: typed },
    says: `address ${quoted(typed)} of a trunk is not allowed (an IP address or a name, with or without :port from 1 to 65535; an IPv6 address with a port in brackets)`,
    remedy: { text: 'type for example "198.51.100.7", "sip.example.net:5080" or "[2001:db8::7]:5060"' },
  });

/** Reads an address as it was typed. @throws Star64Error `invalid_address` */
export function parseTrunkAddress(typed: string): TrunkAddress {
  const [, inBrackets, bracketPort] = /^\[([0-9A-Fa-f:.]{2,45})\](?::([0-9]{1,5}))?$/.exec(typed) ?? [];
  if (inBrackets !== undefined || isIPv6(typed)) {
    const host = inBrackets ?? typed;
    if (!isIPv6(host) || host.includes('%')) throw refused(typed);
    return { host: host.toLowerCase(), port: portOf(bracketPort, typed), v6: true };
  }
  const [, host, port] =
    /^([A-Za-z0-9](?:[A-Za-z0-9.-]{0,98}[A-Za-z0-9])?)(?::([0-9]{1,5}))?$/.exec(typed) ?? [];
  // Digits and dots alone are an address, and must be a whole one.
  const whole = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}$/;
  if (host === undefined || host.includes('..') || (/^[0-9.]+$/.test(host) && !whole.test(host)))
    throw refused(typed);
  return { host: host.toLowerCase(), port: portOf(port, typed), v6: false };
}

function portOf(text: string | undefined, typed: string): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (port < 1 || port > 65_535) throw refused(typed);
  return port;
}

/** An address in the one way in which it is kept. */
export function checkTrunkAddress(typed: string): string {
  const { host, port, v6 } = parseTrunkAddress(typed);
  const written = v6 ? `[${host}]` : host;
  return port === null ? written : `${written}:${port}`;
}
