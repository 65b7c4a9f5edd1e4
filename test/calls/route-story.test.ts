import t from 'tap';
import { readStory } from '../../domain/calls/records/story.js';
import { announcements } from '../../domain/provisioning/features/announcement.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addHours, switchHours } from '../../domain/provisioning/features/hours.js';
import { asked } from '../support/asked.js';
import { freshDatabase } from '../support/database.js';

const team = 'astercc';

await t.test('the story of a call tells the hours that have sent it on', async (t) => {
  const { db: of } = await freshDatabase(t);
  await addGroup(of, team, { name: 'support' });
  await announcements.add(of, team, 'closed', { sound: 'custom/closed' });
  const toClosed = { open: 'group:support', closed: 'announcement:closed' };
  await addHours(of, team, { name: 'office', ...toClosed });
  await addHours(of, team, { name: 'plant', open: 'group:support', closed: 'hours:office' });
  await addDid(of, team, { number: '600900', to: 'hours:plant' });
  await addDid(of, team, {
    number: '600901',
    to: 'group:support',
    hours: 'office',
    closed: 'announcement:closed',
  });
  const story = async (number: string): Promise<[string | undefined, string[]]> => {
    const { ask, journal, steps, lastCall } = await asked(t, of);
    const place = await ask('inbound', [team, number, ''], '030');
    await journal.flush();
    const statements: string[] = [];
    const hear = ({ sql }: { sql: string }): void => void statements.push(sql);
    of.on('query', hear);
    await steps.flush();
    of.removeListener('query', hear);
    t.equal(statements.length, 1, 'one statement for all of it');
    return [place, (await readStory(of, team, lastCall())).story.slice(1).map(({ says }) => says)];
  };
  for (const name of ['office', 'plant']) await switchHours(of, team, name, 'night');
  t.same(await story('600900'), [
    'astercc-announcements,closed,1',
    [
      '600900 leads to hours:plant',
      'hours plant: closed, so on to hours:office',
      'hours office: closed, so on to announcement:closed',
    ],
  ]);
  t.same(await story('600901'), [
    'astercc-announcements,closed,1',
    ['600901 leads to group:support', 'hours office: closed, so on to announcement:closed'],
  ]);
  for (const name of ['office', 'plant']) await switchHours(of, team, name, 'day');
  t.same(await story('600900'), [
    'astercc-groups,support,1',
    ['600900 leads to hours:plant', 'hours plant: open, so on to group:support'],
  ]);
  t.same(await story('600901'), ['astercc-groups,support,1', ['600901 leads to group:support']]);
});
