import { Resolver } from 'node:dns/promises';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';

/** What is no address of the public network (IANA's registries of special purpose addresses), and no receiver therefore. */
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16', // Azure's own services, at a public address of which every machine there has one.
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    list.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return list;
}

/** An address that a message must not be sent to. */
export class ForbiddenAddress extends Error {
  readonly code = 'STAR64_FORBIDDEN';
  constructor(readonly address: string) {
    super(`address ${address} is of this machine or of no public network`);
  }
}

/**
 * Where messages may be sent: to the public network, but not to this machine, whatever address it has, and to what
 * `allowed` (networks as `10.1.0.0/16`) names. A team's administrator chooses the address, so without this they could ask
 * whatever this machine reaches and nobody else should.
 */
export class Addresses {
  readonly #special = listOf(special);
  readonly #allowed: BlockList;

  constructor(
    allowed: readonly string[] = [],
    private readonly own = ownAddresses,
    private readonly resolve: Resolve = askNameServers,
  ) {
    this.#allowed = listOf(allowed);
  }

  may(address: string): boolean {
    // ::ffff:a.b.c.d and 64:ff9b::a.b.c.d lead to a.b.c.d.
    const plain = embedded(address) ?? address;
    const family = isIPv4(plain) ? 'ipv4' : 'ipv6';
    if (this.#allowed.check(plain, family)) return true;
    return isIP(plain) !== 0 && !this.#special.check(plain, family) && !this.own().includes(plain);
  }

  /**
   * Resolves a name for a connection, to addresses that are allowed alone: the connection is made to what was checked, so
   * a name that means something else a moment later leads nowhere else.
   */
  readonly lookup: LookupFunction = (name, { all }, done) => {
    this.resolve(name).then(
      (found) => {
        const good = found.filter((address) => this.may(address));
        const [first] = good;
        if (first === undefined) done(new ForbiddenAddress(found[0] ?? name), '');
        else if (all)
          done(
            null,
            good.map((address) => ({ address, family: isIP(address) })),
          );
        else done(null, first, isIP(first));
      },
      (error: unknown) => done(error as Error, ''),
    );
  };

  /** A host that is an address is never looked up. @throws ForbiddenAddress */
  checkHost(hostname: string): void {
    const address = hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && !this.may(address)) throw new ForbiddenAddress(address);
  }
}

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<string[]>;

/**
 * By DNS and not by the system (`getaddrinfo`), of whose four threads a name server that does not answer would soon hold
 * all: no other name would be found then. So /etc/hosts does not count.
 */
async function askNameServers(name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = [four, six].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  if (found.length === 0 && four.status === 'rejected') throw four.reason;
  return found;
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);

const mapped = [0, 0, 0, 0, 0, 0xffff].join(':');
const translated = [0x64, 0xff9b, 0, 0, 0, 0].join(':');

/** The IPv4 address within an IPv6 address that stands for one. */
function embedded(address: string): string | undefined {
  if (!address.includes(':')) return undefined;
  const bits = words(address);
  const last = [6, 7].flatMap((at) => [(bits[at] ?? 0) >> 8, (bits[at] ?? 0) & 255]).join('.');
  const begins = bits.slice(0, 6).join(':');
  return begins === mapped || begins === translated ? last : undefined;
}

/** The eight words of an IPv6 address. */
function words(address: string): number[] {
  const [hex = ''] = address.split('%');
  const whole = hex.replace(/([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/, (_all, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = whole.split('::');
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((one) => Number.parseInt(one, 16));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  return tail === undefined
    ? before
    : [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}
