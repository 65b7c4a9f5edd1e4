import type { Queryable } from '../../database/pool.js';
import { callerOut, callerOutMs, type CallerOut } from './caller-out.js';
import type { EmergencyNumbers } from './emergency-numbers.js';
import { decideOutbound, type Deciding, type OutboundDecision, type OutboundQuestion } from './outbound.js';
import type { CallLimits } from '../limits/limits.js';
import { readOutboundTeams } from './outbound-read.js';
import { extensionBehind, type OutboundTeam, type TeamFacts } from './outbound-team.js';
import { decideTyped } from './typed-number.js';
import { TurnsInMemory, type Turns } from './ways-out.js';

/** A decision, and who is at the phone: null, the team pays or nobody knows the phone; undefined, it could not be found out. */
export interface Decided {
  readonly decision: OutboundDecision;
  readonly caller: CallerOut | null | undefined;
}

/**
 * Answers who may call what, over what, as whom, from memory, where only who is signed in at the phone is asked of the
 * database: with PostgreSQL away the last known rights stand. Whoever hears of a change in provisioning calls `load` again.
 */
export class Outbound {
  /** By its identity. */
  #teams = new Map<string, OutboundTeam>();
  readonly #turns: Turns = new TurnsInMemory();

  constructor(
    private readonly db: Queryable,
    /** The Asterisk whose teams are answered for. */
    private readonly node: string,
    private readonly facts: TeamFacts,
    private readonly given: { emergencies?: EmergencyNumbers; limits?: CallLimits } = {},
    /** How long a call waits for the database to say who is at its phone. */
    private readonly patienceMs = callerOutMs,
  ) {}

  /** Reads all teams, or these. On failure the old answers stay. */
  async load(teamIds?: readonly number[]): Promise<void> {
    const teams = await readOutboundTeams(this.db, this.node, teamIds);
    // Without a pause in between: no question comes while a team has no answers. A team may have got another identity.
    for (const [team, { id }] of this.#teams) {
      if (teamIds === undefined || teamIds.includes(id)) this.#teams.delete(team);
    }
    for (const one of teams) this.#teams.set(one.team, one);
  }

  /** What a team says about calls to the outside; undefined: no team of this node has that identity. */
  team(team: string): OutboundTeam | undefined {
    return this.#teams.get(team);
  }

  /**
   * Whether a number is called, over which trunks, and as whom; undefined: no such team lives here. `more`: to be told why,
   * or so that nobody's turn passes.
   */
  async decide(
    team: string,
    question: OutboundQuestion,
    more: Pick<Deciding, 'tell' | 'turns'> = {},
  ): Promise<Decided | undefined> {
    const of = this.#teams.get(team);
    if (!of) return undefined;
    const phone = question.endpoint === '' ? undefined : extensionBehind(of, question.endpoint);
    const caller = phone ? await callerOut(this.db, team, phone.number, this.patienceMs) : null;
    const { facts, given } = this;
    const decision = decideOutbound(of, question, caller, { facts, turns: this.#turns, ...given, ...more });
    return { decision, caller };
  }

  /** How a number is called that an administrator has typed; undefined: no such team lives here. */
  typed(
    team: string,
    number: string,
    asked: Pick<OutboundQuestion, 'instant' | 'uniqueid'>,
    more: Pick<Deciding, 'tell' | 'turns'> = {},
  ): OutboundDecision | undefined {
    const of = this.#teams.get(team);
    const { facts, given } = this;
    return of && decideTyped(of, number, asked, { facts, turns: this.#turns, ...given, ...more });
  }
}
