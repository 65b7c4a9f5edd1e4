import { pino } from 'pino';
import t from 'tap';
import { Routing } from '../../domain/calls/routing/routing.js';
import { listUnknownNumbers, UnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addTrunk, setTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(1));

function listening() {
  const said: Record<string, unknown>[] = [];
  const write = (line: string): void => void said.push(JSON.parse(line) as Record<string, unknown>);
  return { said, log: pino({ level: 'warn' }, { write }) };
}

await t.test('calls for numbers that no team has are counted and said, the last one first', async (t) => {
  const { said, log } = listening();
  const numbers = new UnknownNumbers(db, 'default', log, 3_600_000);
  const call = (number: string) => numbers.add({ number, endpoint: 'provider', caller: '4930123' });
  for (const number of ['4930700001', '4930700002', '4930700001']) call(number);
  await numbers.flush();
  call('4930700001');
  await numbers.flush();
  t.match(await listUnknownNumbers(db), [
    { node: 'default', number: '4930700001', calls: 3, endpoint: 'provider', caller: '4930123' },
    { number: '4930700002', calls: 1 },
  ]);
  t.match(said, [{ number: '4930700001', calls: 2 }, { number: '4930700002' }, { calls: 1 }]);
  await addDid(db, 'astercc', { number: '+4930700001', to: 'group:support' });
  t.match(await listUnknownNumbers(db), [{ number: '4930700002' }], 'one that a team has now is none');
});

await t.test('somebody who tries numbers fills neither the table nor the log', async (t) => {
  const { said, log } = listening();
  const numbers = new UnknownNumbers(db, 'default', log, 3_600_000);
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 1500; index++)
      numbers.add({ number: String(10_000 + round * 5000 + index), endpoint: 'provider', caller: null });
    await numbers.flush();
  }
  t.equal((await listUnknownNumbers(db)).length, 1000);
  t.ok(said.length < 30, `${said.length} lines`);
});

await t.test('one that PostgreSQL does not take is said, and the next is', async (t) => {
  const { said, log } = listening();
  const numbers = new UnknownNumbers(db, 'default', log, 3_600_000);
  numbers.add({ number: '1\u0000', endpoint: 'provider', caller: null });
  await numbers.flush();
  t.match(said.at(-1), { msg: /not counted/ });
  numbers.add({ number: '4930700003', endpoint: 'provider', caller: null });
  await numbers.flush();
  t.match((await listUnknownNumbers(db))[0], { number: '4930700003' });
});

await t.test('the server knows a DID that the files do not have, as its trunk writes it', async (t) => {
  await addTrunk(db, null, { name: 'provider', endpoint: 'provider', country: 'DE' });
  const routing = new Routing(db, 'default');
  await routing.load();
  const whose = async (number: string, endpoint = 'provider'): Promise<string | undefined> =>
    Promise.resolve(routing.routeOnTrunk({ endpoint, number })?.number);
  for (const form of ['030700001', '004930700001', '+4930700001']) t.equal(await whose(form), '+4930700001');
  t.equal(await whose('030700001', 'elsewhere'), undefined, 'a trunk without a country');
  t.equal(await whose('4930700001', 'elsewhere'), '+4930700001');
  await setTrunk(db, null, 'provider', { country: 'AT' });
  await routing.load([]);
  t.equal(await whose('030700001'), undefined, 'another number in Austria');
  t.match(routing.find('astercc', '4930700001'), { kind: 'group', name: 'support' });
});
