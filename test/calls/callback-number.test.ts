import t from 'tap';
import { decideCallback } from '../../domain/calls/outbound/callback-number.js';
import { Outbound } from '../../domain/calls/outbound/outbound-memory.js';
import { Routing } from '../../domain/calls/routing/routing.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

/** Who may be called back: by the rights of the team, which pays. */
const { db } = await freshDatabase(t);
await provision(db, crowd(1));
await addTrunk(db, 'astercc', { name: 'a', endpoint: 'provider', country: 'DE' });
await setTeam(db, 'astercc', { country: 'DE', trunk: 'a', outsidePrefix: '0', mayCall: 'national,mobile' });
const routing = new Routing(db, 'default');
const outbound = new Outbound(db, 'default', routing);
async function refused(number: string): Promise<string | null | undefined> {
  await routing.load();
  await outbound.load();
  const decision = await decideCallback(outbound, 'astercc', number);
  return decision && (decision.go ? null : decision.refused);
}

await t.test('a number abroad only where the team has opened it, a number that costs never', async (t) => {
  t.equal(await refused('+493012345678'), null);
  t.equal(await refused('+33142685300'), 'class');
  await setTeam(db, 'astercc', { mayCall: 'national,mobile,international,premium' });
  t.equal(await refused('+33142685300'), null);
  t.equal(await refused('+499001234567'), 'number');
  t.equal(await refused('112'), 'number');
});
