import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { prepared, type Queryable } from '../../database/pool.js';
import { LaterWriter } from '../../database/later.js';

/** Something that happened to a call and that its visits and offers do not say. */
export interface CallStep {
  /** Asterisk's uniqueid of the call: `calls.uniqueid`, the linkedid of all its channels. */
  call: string;
  /**
   * A word for it, in kebab-case: `hours`, `menu`; how it reads is in `story-words.ts`. `recording` and `recorded`, the
   * beginning and the end of one, have a table of their own.
   */
  kind: string;
  facts?: Readonly<Record<string, string>>;
  /**
   * Of what is decided when the call arrives: a word for it within its call. Its time is that of the arrival, and of those
   * with the same word, by whichever server they are told, the first is kept. Every other step is one of its own.
   */
  key?: string;
}

interface Waiting {
  step: CallStep;
  /** Its own, or one made for it: what is written again since the answer was lost is still one step. */
  key: string;
  /** When it happened, and until when its call may still be recorded, on the monotonic clock. */
  at: number;
  until: number;
}

/**
 * Writes steps of the calls of one Asterisk node a moment later and many at a time: nothing of a call waits for them. A
 * step may be told before its call is recorded, also by another server: it is tried again for a while. Of a call that
 * never is, as one between two phones, nothing is kept.
 */
export class CallSteps {
  readonly #writer: LaterWriter<Waiting>;

  constructor(
    db: Queryable,
    node: string,
    log: Logger,
    private readonly settings = {
      delayMs: 200,
      retryMs: 1000,
      patienceMs: 10_000,
      keep: 20_000,
      batch: 500,
    },
  ) {
    const { retryMs, patienceMs } = settings;
    this.#writer = new LaterWriter<Waiting>(
      log,
      settings,
      {
        fault: 'PostgreSQL does not take what calls went through: it will be recorded later',
        over: 'what calls went through is recorded',
        lost: 'too many steps of calls wait to be recorded: one is lost',
        // Of a story a sentence is missing.
        refused: 'a step of a call could not be recorded: left out',
        contents: ({ step }) => ({ step }),
      },
      async (batch) => {
        const known = await recordSteps(db, node, batch);
        return batch.filter((one, index) => !known.has(index) && one.until > performance.now());
      },
      // Arrivals wait for PostgreSQL as well: the time for them runs from when it is back.
      (one) => ({ ...one, until: performance.now() + retryMs + patienceMs }),
    );
  }

  /** Never throws, and waits for nothing. What is no step is left out. */
  add(step: CallStep): void {
    if (!/^[a-z][a-z-]{0,31}$/.test(step.kind) || step.call === '') return;
    const at = performance.now();
    this.#writer.add({ step, key: step.key ?? randomUUID(), at, until: at + this.settings.patienceMs });
  }

  /** Writes what waits now, as far as its calls are recorded; for shutdown. Never throws. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }
}

/** Writes those whose call is recorded; returns their places in the batch. */
async function recordSteps(db: Queryable, node: string, batch: readonly Waiting[]): Promise<Set<number>> {
  const now = performance.now();
  const rows = batch.map(({ step, key, at }, index) => ({
    index,
    call: storable(step.call),
    key,
    arrival: step.key !== undefined,
    kind: step.kind,
    facts: checkedFacts(step.facts),
    secondsAgo: (now - at) / 1000,
  }));
  const written = await prepared<{ index: number }>(db, sql, { node, steps: JSON.stringify(rows) });
  return new Set(written.map(({ index }) => index));
}

const sql = `
  with told as (
    select c.team_id, c.id as call_id, s.index, s.key, s.kind, s.facts, t.identity, c.ended_at,
      case when s.arrival then c.arrived_at
        else greatest(c.arrived_at, clock_timestamp() - make_interval(secs => s."secondsAgo")) end as at
    from json_to_recordset(:steps::json) 
      as s (index integer, call text, key text, arrival boolean, kind text, facts jsonb, "secondsAgo" double precision)
    join calls c on c.node = :node and c.uniqueid = s.call join teams t on t.id = c.team_id
  ), written as (
    insert into call_steps (team_id, call_id, at, key, kind, facts)
    select team_id, call_id, at, key, kind, facts from told where kind not in ('recording', 'recorded') order by index
    on conflict (call_id, key) do nothing
  ), begun as (
    insert into recordings as r (team_id, call_id, file, started_at, ended_at)
    select team_id, call_id, facts ->> 'file', min(at),
      -- Begun and over may be in one batch; nothing goes on longer than its call.
      case when bool_or(kind = 'recorded') or max(ended_at) is not null
        then greatest(least(max(at) filter (where kind = 'recorded'), max(ended_at)), min(at)) end
    from told
    -- The wall between teams is in the path.
    where kind in ('recording', 'recorded') and facts ->> 'file' ~ ('^star64/' || identity
      || '/[0-9]{4}-[0-9]{2}-[0-9]{2}/[A-Za-z0-9._-]{1,200}$')
    group by team_id, call_id, facts ->> 'file'
    on conflict (team_id, file) do update set
      ended_at = coalesce(r.ended_at, greatest(excluded.ended_at, r.started_at))
    where excluded.ended_at is not null
  )
  select index from told`;

const longestFact = 200;
const mostFacts = 20;

/** Facts as they can be kept: words by name, none too long. */
function checkedFacts(facts: CallStep['facts'] = {}): Record<string, string> {
  const kept = Object.entries(facts).filter(([name]) => /^[a-z][a-z-]{0,31}$/.test(name));
  return Object.fromEntries(kept.slice(0, mostFacts).map(([name, value]) => [name, storable(value)]));
}

/** PostgreSQL keeps no NUL, and no half of a surrogate pair. */
const storable = (text: string): string =>
  text
    .replaceAll('\0', '')
    .slice(0, longestFact)
    .replace(/\p{Cs}/gu, '\ufffd');
