import type { Database } from '../domain/database/pool.js';

export interface Summary {
  offered: number;
  answered: number;
  abandoned: number;
  /** Seconds that callers waited in the queue until they were answered. */
  waits: { caller: string; seconds: number }[];
  /** Seconds of each agent in each state. */
  agents: { agent: string; name: string; states: Record<string, number> }[];
}

/** What the database says of a team's calls and agents, for the end of the demo. */
export async function readSummary(db: Database, team: string): Promise<Summary> {
  const visits = await db.raw<{
    rows: { caller: string; seconds: number | null; outcome: string | null }[];
  }>(
    `select coalesce(c.caller, '') as caller, v.outcome,
       extract(epoch from v.answered_at - v.joined_at)::double precision as seconds
     from queue_visits v join calls c on c.id = v.call_id join teams t on t.id = v.team_id
     where t.identity = ? order by v.id`,
    [team],
  );
  const states = await db.raw<{ rows: { agent: string; name: string; state: string; seconds: number }[] }>(
    `select a.number as agent, u.name, s.state,
       sum(extract(epoch from coalesce(s.ended_at, clock_timestamp()) - s.started_at))::double precision as seconds
     from agent_states s
     join agents a on a.id = s.agent_id
     join users u on u.id = a.user_id
     join teams t on t.id = s.team_id
     where t.identity = ? group by a.number, u.name, s.state order by a.number, s.state`,
    [team],
  );
  const agents = new Map<string, Summary['agents'][number]>();
  for (const { agent, name, state, seconds } of states.rows) {
    const entry = agents.get(agent) ?? { agent, name, states: {} };
    entry.states[state] = seconds;
    agents.set(agent, entry);
  }
  const offered = visits.rows;
  return {
    offered: offered.length,
    answered: offered.filter(({ outcome }) => outcome === 'answered').length,
    abandoned: offered.filter(({ outcome }) => outcome === 'abandoned').length,
    waits: offered.flatMap(({ caller, seconds }) => (seconds === null ? [] : [{ caller, seconds }])),
    agents: [...agents.values()],
  };
}

/** The summary as text, one line each. */
export function summaryLines(summary: Summary): string[] {
  return [
    `calls offered ${summary.offered}, answered ${summary.answered}, abandoned ${summary.abandoned}`,
    ...summary.waits.map(({ caller, seconds }) => `${caller} waited ${seconds.toFixed(1)} s`),
    ...summary.agents.map(
      ({ agent, name, states }) =>
        `agent ${agent} ${name}: ${Object.entries(states)
          .map(([state, seconds]) => `${state} ${seconds.toFixed(1)} s`)
          .join(', ')}`,
    ),
  ];
}
