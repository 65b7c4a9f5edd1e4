import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Addresses } from '../../web/webhooks/addresses.js';
import { post } from '../../web/webhooks/post.js';

const none = (): string[] => [];

void t.test('only addresses of the public network are asked', (t) => {
  const addresses = new Addresses([], none);
  for (const address of [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...[
      '169.254.169.254',
      '100.64.0.1',
      '192.0.0.192',
      '198.18.0.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '168.63.129.16',
      '192.88.99.1',
    ],
    ...['::1', '::', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '::127.0.0.1', '64:ff9b::10.0.0.1'],
    ...['2002:7f00:1::', 'fec0::1', '2001::1', 'no address', ''],
  ])
    t.notOk(addresses.may(address), address);
  for (const address of [
    '8.8.8.8',
    '172.32.0.1',
    '11.0.0.1',
    '2a00:1450::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
  ])
    t.ok(addresses.may(address), address);
  t.notOk(new Addresses([], () => ['8.8.4.4']).may('8.8.4.4'), 'a public address of this machine itself');
  const allowed = new Addresses(['10.1.0.0/16', 'fd00::/8'], none);
  t.same(
    ['10.1.2.3', '::ffff:10.1.2.3', 'fd00::7', '10.2.0.1'].map((address) => allowed.may(address)),
    [true, true, true, false],
  );
  t.end();
});

void t.test('a name is resolved once for each connection, which goes to what was checked', async (t) => {
  let asked = 0;
  const server = createServer((_request, response) => void response.writeHead(204).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://hooks.example:${(server.address() as AddressInfo).port}/`;
  // Another answer each time, as of who hopes that the address is checked first and then resolved anew.
  const resolve = (): Promise<string[]> =>
    Promise.resolve(asked++ % 2 === 0 ? ['127.0.0.1'] : ['10.0.0.1', '169.254.169.254']);
  const addresses = new Addresses(['127.0.0.1/32'], none, resolve);
  t.match(await post(url, {}, '{}', addresses), { status: 204, error: null });
  t.equal(asked, 1);
  t.match(await post(url, {}, '{}', addresses), { status: null, error: /address 10\.0\.0\.1/ });
  t.equal(asked, 2);
  for (const host of ['127.0.0.2', '[::1]', '2130706434', '0x7f.2', '[::ffff:127.0.0.2]'])
    t.match(await post(`http://${host}:1/`, {}, '{}', addresses), { status: null, error: /address / }, host);
  t.equal(asked, 2, 'an address is no name');
  const unknown = new Addresses([], none, () =>
    Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
  );
  t.match(await post('http://nowhere.example/', {}, '{}', unknown), { error: 'no such host' });
});
