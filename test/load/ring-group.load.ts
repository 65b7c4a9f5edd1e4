import t from 'tap';
import { signInAgent } from '../../domain/provisioning/people/admin-action.js';
import { centreFor, needLab, waitMembers } from '../support/centre.js';
import { ringGroupCentre } from '../support/trials/ring-groups.js';
import { trialsOnOnePhone } from '../support/trials/ring-group-trials.js';

await needLab(t);
const { options, ports } = await ringGroupCentre({ wrapUp: 'off' });
t.teardown(() => ports.release());
const centre = await centreFor(t, options);
const phone = await centre.phone('5002');
await signInAgent(centre.db, 'astercc', '1002', { extension: '5002', by: 'test' });
await waitMembers(centre, 'astercc-support', ['1002']);

await t.test('20 times two ring groups and a queue call one phone at the same moment', (t) =>
  trialsOnOnePhone(t, centre, phone, 20),
);
