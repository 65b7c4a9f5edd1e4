import t from 'tap';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { phoneOf } from '../../pbx/queue/names.js';
import { until } from '../../domain/machine/processes.js';
import { quantiles } from '../bench/numbers.js';
import { each, PhoneSite } from '../bench/phone-site.js';
import { needLab } from '../support/centre.js';

/** The shift of most agents ends while the wrap-ups of the others run out, one after the other. */
const size = { agents: 1000, groups: 50, servers: 2 };
const inWrapUp = 100;
const spreadMs = 5000;
const leadMs = 8000;

await needLab(t);

const site = await PhoneSite.start(size, (text) => t.comment(text));
t.teardown(() => site.stop());
const { db } = site.centre;

await t.test('wrap-ups end in time while the shift of 900 others ends', async (t) => {
  const signIns = await site.signIn(site.agents);
  const resting = signIns.slice(0, inWrapUp);
  const leaving = signIns.slice(inWrapUp);
  const lifted = new Map<string, number[]>();
  let liftedBeforeTheEnd = 0;
  const take = ({ headers }: AmiMessage): void => {
    const extension = phoneOf(headers.get('interface') ?? '')?.extension ?? '';
    if (headers.get('paused') !== '0' || !resting.some((one) => one.extension === extension)) return;
    lifted.set(extension, [...(lifted.get(extension) ?? []), Number(headers.get('timestamp')) * 1000]);
  };
  site.manager.on('event', take);
  const from = Date.now() + leadMs;
  await each(resting, 10, (signIn, index) =>
    site.beginWrapUp(
      signIn,
      site.agents[index]?.group ?? '',
      `shift.${index}`,
      from + (spreadMs * index) / inWrapUp,
    ),
  );
  // The shift ends as the first deadline comes.
  await db('agent_groups').update({ idle_sign_out_seconds: 60 });
  await until(
    'the first wrap-up to be over',
    async () =>
      (await db('agent_states').where({ state: 'wrap-up' }).whereNotNull('ended_at')).length > 0
        ? true
        : undefined,
    60_000,
  );
  await db('sign_ins')
    .whereIn(
      'id',
      leaving.map(({ id }) => id),
    )
    .update({ acted_at: db.raw(`acted_at - interval '1 hour'`) });
  await until(
    'everybody to have left',
    async () => {
      const open = await db('sign_ins').whereNull('signed_out_at');
      if (open.length > resting.length) liftedBeforeTheEnd = lifted.size;
      return open.length === resting.length ? true : undefined;
    },
    300_000,
  );
  await until('every wrap-up to be over', () => (lifted.size === inWrapUp ? true : undefined), 60_000);

  const { rows } = await db.raw<{ rows: { extension: string; deadline: number; ended: number }[] }>(
    `select x.number as extension, extract(epoch from s.deadline_at)::double precision * 1000 as deadline,
       extract(epoch from s.ended_at)::double precision * 1000 as ended
     from agent_states s join sign_ins i on i.id = s.sign_in_id join extensions x on x.id = i.extension_id
     where s.state = 'wrap-up'`,
  );
  t.equal(rows.length, inWrapUp, 'one wrap-up for each');
  t.same(
    rows.filter(({ deadline, ended }) => ended < deadline),
    [],
    'none ended early',
  );
  t.same(
    [...lifted].filter(([, times]) => times.length > 1),
    [],
    'none twice',
  );
  t.ok(liftedBeforeTheEnd > inWrapUp / 2, `${liftedBeforeTheEnd} were over while the shift was still ending`);
  const delays = rows.map(({ extension, deadline }) => (lifted.get(extension)?.[0] ?? NaN) - deadline);
  t.comment(`from deadline to free, ms: ${JSON.stringify(quantiles(delays))} (aim: p99 under 100)`);
});
