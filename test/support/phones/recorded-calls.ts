import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import type { Story } from '../../../domain/calls/records/story.js';
import type { Centre } from '../../../lab/centre.js';
import { until } from '../../../domain/machine/processes.js';

/** A call as the database has it, with what it went through. */
export interface RecordedCall {
  did: string | null;
  outcome: string | null;
  /** Who answered: an agent by number, else the extension or the number outside. */
  by: string | null;
  /** What ended it, where it was not the caller. */
  endedBy: string | null;
  /** The queues that it joined, each `support: answered`. */
  visits: string[];
  /** Steps of its story with where each led, `hours extension:5001`. */
  steps: string[];
}

/** The newest call there is, to read those behind it. */
export async function lastCall({ db }: Centre): Promise<number> {
  const row = await db('calls').max('id as id').first<{ id: string | null }>();
  return Number(row.id ?? 0);
}

/** The calls behind this one that are over, by the DID that was called. */
export async function recordedCalls({ db }: Centre, after: number): Promise<RecordedCall[]> {
  const { rows } = await db.raw<{ rows: RecordedCall[] }>(
    `select c.did, c.outcome, coalesce(a.number, va.number, x.number, c.answered_number) as by, c.ended_by as "endedBy",
       array(select g.name || ': ' || v.outcome from queue_visits v join agent_groups g on g.id = v.group_id
         where v.call_id = c.id order by v.id) as visits,
       array(select trim(s.kind || ' ' || coalesce(s.facts ->> 'to', s.facts ->> 'key', s.facts ->> 'announcement',
         s.facts ->> 'group', '')) from call_steps s where s.call_id = c.id and s.kind <> 'parted' order by s.at, s.id) as steps
     from calls c left join agents a on a.id = c.answered_agent_id
     left join lateral (select agent_id from queue_visits where call_id = c.id and answered_at is not null
       order by id limit 1) v on true left join agents va on va.id = v.agent_id
     left join extensions x on x.id = c.answered_extension_id
     where c.id > ? and c.ended_at is not null order by c.did`,
    [after],
  );
  return rows;
}

/** Waits until so many calls behind this one are recorded, and over, each with where its DID led. */
export async function waitRecorded(centre: Centre, after: number, count: number): Promise<RecordedCall[]> {
  return until(`${count} calls to be recorded`, async () => {
    const calls = await recordedCalls(centre, after);
    return calls.filter(({ steps }) => steps.some((step) => step.startsWith('did '))).length === count
      ? calls
      : undefined;
  });
}

/** Fails unless the calls behind this one come to be recorded so. Steps are written up to a second later than their call. */
export async function sameCalls(
  t: Test,
  centre: Centre,
  after: number,
  wanted: readonly RecordedCall[],
): Promise<void> {
  const same = async (): Promise<true | undefined> =>
    isDeepStrictEqual(await recordedCalls(centre, after), wanted) ? true : undefined;
  await until('the calls to be recorded', same).catch(() => undefined);
  t.same(await recordedCalls(centre, after), wanted);
}

/** What still goes on: channels of callers, places in queues, and calls, visits and offers that the database has open. */
async function leftOver({ asterisk, db }: Centre): Promise<string[]> {
  const channels = (await asterisk.console('core show channels concise')).match(/^PJSIP\/\S+?(?=!)/gm) ?? [];
  const waiting = (await asterisk.console('queue show')).match(/^\S+ +has [1-9]\d* calls/gm) ?? [];
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select 'call ' || uniqueid as name from calls where ended_at is null
     union all select 'visit ' || uniqueid from queue_visits where left_at is null
     union all select 'offer ' || uniqueid from offers where ended_at is null`,
  );
  return [...channels, ...waiting, ...rows.map(({ name }) => name)];
}

/** Waits until nothing is left over of any call, in Asterisk and in the database. */
export async function waitNothingLeft(centre: Centre, deadlineMs = 30_000): Promise<void> {
  let left: string[] = [];
  await until(
    'nothing to be left over',
    async () => {
      left = await leftOver(centre);
      return left.length === 0 ? true : undefined;
    },
    deadlineMs,
  ).catch((error: unknown) => {
    throw new Error(`left over: ${left.join(', ')}`, { cause: error });
  });
}

/**
 * Fails unless what a call consists of adds up to the time from its answer to its end. Seconds are whole there, rounded by
 * PostgreSQL, which has microseconds: at half a second another rounding may come to another one.
 */
export function partsAddUp(t: Test, story: Story, of = ''): void {
  const parts = [story.talkSeconds, story.holdSeconds, story.consultSeconds].map(Number);
  const whole = ((story.endedAt?.getTime() ?? 0) - (story.answeredAt?.getTime() ?? 0)) / 1000;
  const sum = parts.reduce((all, part) => all + part, 0);
  t.ok(Math.abs(sum - whole) <= 0.502, `${of}${parts.join(' + ')} s add up to the ${whole} s of the call`);
}
