import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import t, { type Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { didRules } from '../../../domain/provisioning/numbers/did-rule.js';
import { bindings } from '../../../domain/provisioning/features/binding.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf } from '../../support/centre.js';

/** Ranges, beginnings and rules on the real Asterisk: where a call came to is told by how it ends. */
const team = 'astercc';
const centre = await centreOf(t, crowd(1), {
  provision: async (db) => {
    await addTrunk(db, null, { name: 'provider', endpoint: 'lab-trunk', country: 'DE' });
    await addDid(db, team, { number: '+4930600200..+4930600209', to: 'hangup:rejected' });
    await addDid(db, team, { number: '+49306003*', to: 'hangup:unanswered' });
    await addDid(db, team, { number: '+493060035*', to: 'hangup:congestion' });
    await addDid(db, team, { number: '+49306003555', to: 'hangup:rejected' });
    await didRules.add(db, team, 'mobiles', { caller: '0171*', trunk: 'provider', to: 'hangup:busy' });
    await bindings.add(db, team, 'default', { application: 'campaign', link: 'https://example.org/{did}' });
  },
});
const { asterisk } = centre;
const [rejected, unanswered, congestion, nobody, busy] = [/^403/, /^480/, /^503/, /^404/, /^486/];

async function ends(t: Test, to: string, how: RegExp, from = '4930123456', name?: string): Promise<void> {
  const caller = await Caller.call({ from, to, server: asterisk.sip, ...(name !== undefined && { name }) });
  t.match(await caller.ended(30_000), how, `${to} from ${from}`);
}

/** The final answer to a call whose caller writes what no telephone would. */
async function finalAnswer(user: string, name: string, to: string): Promise<number> {
  const { host, port } = asterisk.sip;
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.99', resolve));
    const own = `127.0.0.99:${socket.address().port}`;
    const id = randomBytes(6).toString('hex');
    const lines = (method: string, tag = ''): string =>
      [
        `${method} sip:${to}@${host}:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${id}`,
        'Max-Forwards: 70',
        `From: "${name}" <sip:${user.replaceAll(' ', '%20')}@127.0.0.99>;tag=${id}`,
        `To: <sip:${to}@${host}>${tag}`,
        `Call-ID: ${id}`,
        `CSeq: 1 ${method}`,
        `Contact: <sip:x@${own}>`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n');
    const answered = new Promise<number>((resolve) => {
      socket.on('message', (bytes) => {
        const text = bytes.toString();
        const status = Number(/^SIP\/2\.0 ([0-9]{3})/.exec(text)?.[1] ?? 0);
        if (status < 200) return;
        socket.send(lines('ACK', /^To: [^;\r]*(;[^\r]*)/m.exec(text)?.[1]), port, host);
        resolve(status);
      });
    });
    socket.send(lines('INVITE'), port, host);
    return await answered;
  } finally {
    socket.close();
  }
}

const numbers = async (t: Test): Promise<void> => {
  for (const to of ['030600200', '4930600209', '0049306002' + '05']) await ends(t, to, rejected);
  for (const to of ['030600210', '0306002000']) await ends(t, to, nobody);
  await ends(t, '49306002', /^484/);
  for (const to of ['0306003', '03060031', '4930600399', '00493060030000']) await ends(t, to, unanswered);
  for (const to of ['03060035', '493060035123']) await ends(t, to, congestion);
  await ends(t, '03060035' + '55', rejected);
  await ends(t, '0306003abc', nobody);
};

await t.test('each number of a range and of a beginning is found, in each form, and no other', numbers);

await t.test(
  'a rule decides by who calls, whatever they call themselves; the call keeps its binding',
  async (t) => {
    await ends(t, '030600201', busy, '+491712345678');
    await ends(t, '030600201', busy, '01712345678', "李, Hangup 'x");
    for (const [user, name] of [
      ['0171%3Bx', '${SHELL(id)}'],
      ['%24%7BSHELL(id)%7D', '李; Hangup(1)'],
      ['0171%0Aagi_arg_1: x', 'x'],
      ['0171%22%2C1', '<x>'],
      ['__proto__', '[x]'],
    ] as const)
      t.equal(await finalAnswer(user, name, '030600202'), 403, `${user} ${name}: where the DID leads`);
    const kept = await until('the calls in the database', async () => {
      const rows = await centre
        .db('calls')
        .where({ rule: 'mobiles' })
        .select<object[]>('did', 'rule', 'application', 'link');
      return rows.length === 2 ? rows : undefined;
    });
    t.match(kept[0], { did: '+4930600201', application: 'campaign', link: 'https://example.org/{did}' });
  },
);

await t.test('without a server numbers are found as before, and rules are passed over', async (t) => {
  await centre.server.stop();
  await numbers(t);
  await ends(t, '030600201', rejected, '01712345678');
});
