import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension, showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab } from '../../support/centre.js';
import { Provider } from '../../support/phones/providers.js';
import { RawPhone } from '../../support/phones/raw-phone.js';

/**
 * What somebody writes into SIP who has the password of one phone, or none. It is judged at the providers and at the other
 * phones: what they are sent, and nothing else, costs money and rings.
 */
await needLab(t);

const team = 'astercc';
const own = await Provider.start('provider.own', 71);
const foreign = await Provider.start('provider.foreign', 72);
const witness = join(tmpdir(), `star64-attacked-${process.pid}`);
t.teardown(() => Promise.all([own.stop(), foreign.stop()]));

const centre = await centreOf(t, crowd(0), {
  asterisk: { extra: { 'pjsip.conf': `${own.section({ qualify: 0 })}${foreign.section({ qualify: 0 })}` } },
  provision: async (db) => {
    for (const number of ['5001', '5002'])
      await addExtension(db, team, { number, user: 'crowd', callsAtOnce: null, callsPerHour: null });
    await addDid(db, team, { number: '+4930600200', to: 'extension:5001' });
    // What is tried here is no trunk that fails: on a busy machine the provider may be late.
    await addTrunk(db, team, { name: 'own', endpoint: own.endpoint, country: 'DE', replySeconds: 32 });
    // Another team's: nobody of this one may get there.
    await addTrunk(db, null, { name: 'foreign', endpoint: foreign.endpoint, country: 'DE' });
    await setTeam(db, team, {
      outsidePrefix: '0',
      area: '30',
      trunk: 'own',
      callerId: '+4930600200',
      callsAtOnce: null,
    });
  },
});
const { asterisk, db } = centre;
own.does(486);
foreign.does(486);

const secretOf = async (number: string): Promise<string> =>
  (await showExtensionSecret(db, team, number)).secret ?? '';
const attacker = await RawPhone.start(`${team}-5001`, await secretOf('5001'), asterisk.sip, '127.0.0.61');
const victim = await RawPhone.start(`${team}-5002`, await secretOf('5002'), asterisk.sip, '127.0.0.62');
const stranger = await RawPhone.start(`${team}-5001`, 'guessed', asterisk.sip, '127.0.0.63');
const trunk = await RawPhone.start('+49301', '', asterisk.sip, own.address);
t.teardown(() => {
  for (const phone of [attacker, victim, stranger, trunk]) phone.stop();
});
await t.test('both phones register', async (t) => {
  t.equal(await attacker.register(), 200);
  t.equal(await victim.register(), 200);
});

/** Nothing has been sent to anybody but these numbers, to the team's own provider, and no phone has rung. */
const nothingBut = async (t: Test, numbers: readonly string[]): Promise<void> => {
  // The server and Asterisk are through with what came before when this call is.
  t.equal((await attacker.call({ to: '0030999999' })).status, 486);
  t.same(
    own.numbers.filter((number) => number !== '+4930999999'),
    numbers,
  );
  t.same(foreign.numbers, [], 'the trunk of another team');
  t.same(victim.rung, [], 'the phone of somebody else');
  t.notOk(existsSync(witness), 'no command was run');
};
const encoded = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const shell = `\${SHELL(touch ${witness})}`;

/** Behind a number that may be called, or instead of one. */
const hostile = [
  '&PJSIP/astercc-5002',
  `&PJSIP/123@${foreign.endpoint}`,
  `@${foreign.endpoint}`,
  ',30,b(star64-hangup^s^1)',
  ',5,G(astercc-numbers^5002^1)',
  '|astercc-numbers|5002',
  `\${EXTEN}`,
  shell,
  '$[1+1]',
  `\${SYSTEM(touch ${witness})}`,
  `)},System(touch ${witness})`,
  ';astercc-5002',
  '"5002"',
  "'5002'",
  '\\,5002',
  '\n5002',
  '\r\nVia: x',
  '\t5002',
  '<5002>',
  '(5002)',
  '[5002]',
  '{5002}',
  '=5002',
  '%26PJSIP%2fastercc-5002',
  '%',
  '.',
  '!',
  '^5002',
  '~',
  ' 5002',
  'abcd',
  'ABCD',
  '٥٠٠٢',
  '５００２',
  '²',
  'é',
  '\u202e2005',
  '_5002',
];

await t.test('what is dialled behind the prefix is one number, or none', async (t) => {
  const control = await attacker.call({ to: '0030123456' });
  t.equal(control.status, 486, 'a number is called');
  const dialled = [
    ...hostile.flatMap((text) => [`0030123456${text}`, `0${text}030123456`]),
    ...hostile.slice(0, 12).map((text) => `*310030123456${text}`),
    '0-',
    `0${'1'.repeat(200)}`,
    `0+${'4'.repeat(5000)}`,
    `00${'9'.repeat(60)}`,
    '0+',
    '0++4930123456',
    '0#',
    '0030123456##',
    '0030#123456',
  ];
  const answers = await inPortions(dialled, (text) => attacker.call({ to: encoded(text) }));
  for (const [index, { status }] of answers.entries())
    t.ok(
      status === 0 || (status >= 400 && status < 700 && status !== 486),
      `${JSON.stringify(dialled[index]?.slice(0, 60))}: ${status}`,
    );
  await nothingBut(t, ['+4930123456']);
});

await t.test('what is dialled inside is one number of the team, or none', async (t) => {
  const dialled = hostile.flatMap((text) => [`500${text}`, `*64${text}`, text]);
  await inPortions(dialled, (text) => attacker.call({ to: encoded(text) }));
  await nothingBut(t, ['+4930123456']);
});

await t.test('headers claim nothing', async (t) => {
  const before = own.calls.length;
  const texts = [...hostile, `x${'y'.repeat(3000)}`].map((text) => text.replace(/[\r\n\0"\\]/g, ''));
  const answers = await inPortions(texts, (text) =>
    attacker.call({
      to: '0030123456',
      name: text,
      contact: `<sip:${encoded(text)}@${attacker.own};x=${encoded(text)}>`,
      headers: [
        `P-Asserted-Identity: "${text}" <sip:+4930666@127.0.0.1>`,
        `P-Preferred-Identity: <sip:+4930666@127.0.0.1>`,
        `Remote-Party-ID: "${text}" <sip:+4930666@127.0.0.1>;party=calling`,
        `Diversion: <sip:${encoded(text)}@127.0.0.1>;reason=unconditional`,
        `History-Info: <sip:+4930666@127.0.0.1>;index=1`,
        `Referred-By: <sip:${encoded(text)}@127.0.0.1>`,
        `User-Agent: ${text}`,
        `X-Star64: ${text}`,
      ],
    }),
  );
  const calls = own.calls.slice(before);
  // What cannot be read as SIP is not answered at all.
  t.equal(calls.length, answers.filter(({ status }) => status !== 0).length, 'each call went out once');
  t.ok(calls.length > 20, `${calls.length} calls`);
  for (const { number, from, invite } of calls) {
    t.equal(number, '+4930123456');
    t.equal(from, '+4930600200', 'the number of the team is shown');
    t.notMatch(invite, /4930666|P-Asserted|Diversion|Remote-Party|X-Star64/i);
  }
  t.same(victim.rung, []);
  t.notOk(existsSync(witness));
});

await t.test('a phone is what it has the password of; a stranger and a trunk call nobody', async (t) => {
  const before = own.calls.length;
  t.match(await attacker.call({ to: '0030123456', from: `${team}-5002` }), { status: 401 });
  t.match(await stranger.call({ to: '0030123456' }), { status: 401 });
  t.match(await stranger.call({ to: '5002' }), { status: 401 });
  for (const to of ['0030123456', '+4930123456', '030123456', '5002', '*641001', '112'])
    t.match(await trunk.call({ to }), { status: 404 }, to);
  t.equal(own.calls.length, before);
  t.same(victim.rung, []);
});

await t.test('a call is sent on to one number that may be called, or to nobody', async (t) => {
  const before = own.calls.length;
  own.does((number) => (number === '+4930777777' ? 'answer' : 486));
  const targets = hostile.flatMap((text) => [`0030123456${text}`, text]);
  await inPortions(targets, (text) =>
    attacker.call({ to: '0030777777' }, async (dialog) => {
      await attacker.info(dialog, text.replace(/[\r\n]/g, ''));
      await attacker.refer(dialog, `<sip:${encoded(text)}@${asterisk.sip.host}>`, [
        `Referred-By: <sip:${encoded(text)}@127.0.0.1>`,
      ]);
    }),
  );
  t.same([...new Set(own.numbers.slice(before))], ['+4930777777']);
  own.does(486);
  await nothingBut(
    t,
    own.numbers.filter((number) => number !== '+4930999999'),
  );
});

await t.test('Asterisk has found no mistake of ours in any of it', async (t) => {
  const warnings = await asterisk.warnings();
  t.same(
    warnings.filter((line) => /ast_expr|pbx|app_|func_|res_agi/.test(line)),
    [],
  );
});

/** A few at a time. */
async function inPortions<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let first = 0; first < all.length; first += 20)
    done.push(...(await Promise.all(all.slice(first, first + 20).map(work))));
  return done;
}
