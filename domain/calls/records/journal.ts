import type { Logger } from 'pino';
import { LaterWriter } from '../../database/later.js';
import { prepared, type Queryable } from '../../database/pool.js';
import type { Destination } from '../../destination.js';

/** What is known of a call when it arrives at one of the team's DIDs. */
export interface Arrival {
  uniqueid: string;
  team: string;
  did: string;
  caller: string | null;
  /** Where the call goes; null: not known. */
  destination: Destination | null;
  /** The rule that decided; null: its DID. */
  rule?: string | null;
  /** To which application it belongs. */
  binding?: { name: string; application: string; link: string | null } | null;
}

interface Waiting {
  arrival: Arrival;
  at: Date;
  /** PostgreSQL has not taken it once already. */
  waited?: true;
}

/** Records arrivals at one Asterisk node, later and many at a time. */
export class CallJournal {
  readonly #writer: LaterWriter<Waiting>;

  constructor(
    db: Queryable,
    node: string,
    log: Logger,
    settings = { delayMs: 100, retryMs: 1000, keep: 10_000, batch: 500 },
    /** Told when calls are recorded that waited for PostgreSQL: some may be over, which nobody could write. */
    late: () => void = () => undefined,
  ) {
    this.#writer = new LaterWriter<Waiting>(
      log,
      settings,
      {
        fault: 'PostgreSQL does not take calls: they will be recorded later',
        over: 'the calls that waited are recorded',
        lost: 'too many calls wait to be recorded: one is lost',
        refused: 'a call could not be recorded: it is left out',
        contents: ({ arrival, at }) => ({ call: { ...arrival, at } }),
      },
      async (batch) => {
        await recordArrivals(db, node, batch);
        if (batch.some(({ waited }) => waited)) late();
        return [];
      },
      (one) => ({ ...one, waited: true }),
    );
  }

  add(arrival: Arrival): void {
    this.#writer.add({ arrival, at: new Date() });
  }

  /** Writes what waits now; for shutdown. Never throws. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }
}

async function recordArrivals(db: Queryable, node: string, batch: readonly Waiting[]): Promise<void> {
  const rows = batch.map(({ arrival, at }) => {
    const { destination, binding, ...call } = arrival;
    return {
      ...call,
      binding: binding?.name ?? null,
      application: binding?.application ?? null,
      link: binding?.link ?? null,
      group: destination?.kind === 'group' ? destination.name : null,
      extension: destination?.kind === 'extension' ? destination.name : null,
      at: at.toISOString(),
    };
  });
  await prepared(
    db,
    `insert into calls (team_id, node, uniqueid, did, caller, group_id, extension_id, rule, binding, application, link, arrived_at)
     -- Who was asked twice about a call has it twice in the batch.
     select distinct on (r.uniqueid) t.id, ?::text, r.uniqueid, r.did, r.caller, g.id, x.id, r.rule, r.binding, r.application::group_application,
       r.link, r.at
     from json_to_recordset(?::json) as r(uniqueid text, team text, did text, caller text, "group" text, extension text,
       rule text, binding text, application text, link text, at timestamptz)
     join teams t on t.identity = r.team
     left join agent_groups g on g.team_id = t.id and g.name = r."group"
       and (g.removed_at is null or g.leaving_since is not null)
     left join extensions x on x.team_id = t.id and x.number = r.extension and x.removed_at is null
     order by r.uniqueid, r.at
     -- Its first word may have been that it joined a queue, and an arrival that leads elsewhere does not take that back. Of
     -- another team it is another call's, and stays.
     on conflict (node, uniqueid) do update set did = excluded.did, caller = excluded.caller, direction = 'in',
       group_id = coalesce(excluded.group_id, calls.group_id),
       extension_id = coalesce(excluded.extension_id, calls.extension_id), rule = excluded.rule, binding = excluded.binding,
       application = excluded.application, link = excluded.link,
       arrived_at = least(calls.arrived_at, excluded.arrived_at)
     where calls.team_id = excluded.team_id`,
    [node, JSON.stringify(rows)],
  );
}
