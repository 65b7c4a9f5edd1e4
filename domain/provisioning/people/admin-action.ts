import { showAgent } from './agent.js';
import { tellServers } from '../../database/notifications.js';
import { change } from '../operations/change.js';
import { setCurrentGroup } from '../../presence/current-group.js';
import type { Queryable } from '../../database/pool.js';
import { fail, type ErrorCode, type Remedy, type Star64Error } from '../../errors.js';
import { showGroup } from './group.js';
import { checkChoice, checkName, unknown } from '../../names.js';
import { agent as agentNoun } from '../nouns/agent.js';
import { group as groupNoun } from '../nouns/group.js';
import { requireReferred, requireRow } from '../values/rows.js';
import { scopeOf, type Scope } from '../values/scope.js';
import type { SignIn } from '../../presence/open-sign-in.js';
import { noReason, pause, ready } from '../../presence/pause.js';
import { settledSeconds, signIn, signOut, signOutAll } from '../../presence/sign-in.js';
import { setWorkMode, workModes } from '../../presence/work-mode.js';

/** What an admin has done with an agent; the words are those of the phone's functions, which it is done with. */
export interface AdminAction {
  team: string;
  agent: string;
  extension: string;
  outcome: string;
}

/**
 * Signs an agent in at a phone, as `*64` there does, without their PIN. `by` names the command. `left`: the phone where
 * they were before.
 */
export function signInAgent(
  db: Queryable,
  team: string,
  number: string,
  where: { extension: string; by: string },
): Promise<AdminAction & { left: string | null }> {
  const { extension, by } = where;
  return act(db, team, number, async (trx, scope) => {
    await requireReferred(trx, 'extension', scope, extension);
    const result = await signIn(trx, team, { agent: number, extension, by, trusted: true });
    const refuse = refusal(team, number);
    switch (result.outcome) {
      case 'signed-in':
        return { ...(await done(trx, result.signIn, 'signed-in')), left: null };
      case 'moved':
        await tellServers(trx, [result.left.id]);
        return { ...(await done(trx, result.signIn, 'moved')), left: result.left.extension };
      case 'wrong-phone':
        throw refuse('fixed_agent', 'is fixed', {
          text: `their phone is extension ${(await showAgent(trx, team, number)).extension ?? ''}, and no other`,
        });
      case 'agent-elsewhere':
        throw refuse('settling', `has just been signed in at extension ${result.holder.extension}`, {
          text: `wait ${settledSeconds} seconds, and try again`,
        });
      case 'agent-in-call':
        throw inCall(result.holder, 'moves to another phone');
      case 'phone-taken':
        throw fail('phone_taken', {
          noun: 'extension',
          name: extension,
          facts: { team, agent: result.holder.agent },
          says: `extension ${extension} of team ${team} is taken by agent ${result.holder.agent}`,
          remedy: {
            text: 'choose another, or sign them out first ({0})',
            steps: [{ noun: 'agent', verb: 'sign-out', name: result.holder.agent, team }],
          },
        });
      default:
        throw new Error(`a trusted sign-in came to ${result.outcome}`);
    }
  });
}

/** Signs an agent out in any state, as `*65` does; a call that their phone rings for goes to the next agent. */
export function signOutAgent(db: Queryable, team: string, number: string, by: string): Promise<AdminAction> {
  return act(db, team, number, async (trx) => {
    const result = await signOut(trx, team, { agent: number }, by);
    if (result.outcome === 'not-signed-in') throw notSignedIn(team, number);
    if (result.outcome === 'fixed') {
      throw refusal(team, number)('fixed_agent', 'is fixed and always signed in', {
        text: '{0} keeps calls from them',
        steps: [{ noun: 'agent', verb: 'pause', name: number, team }],
      });
    }
    return done(trx, result.signIn, result.outcome);
  });
}

/** Pauses an agent, as `*66` does; `reason` is a digit, 0 for none. */
export function pauseAgent(
  db: Queryable,
  team: string,
  number: string,
  reason: string | undefined,
): Promise<AdminAction & { reason: string }> {
  if (reason !== undefined && reason !== noReason) checkName('pause-reason', reason);
  return act(db, team, number, async (trx) => {
    const result = await pause(trx, team, { agent: number }, reason);
    switch (result.outcome) {
      case 'paused':
        return { ...(await done(trx, result.signIn, 'paused')), reason: reason ?? noReason };
      case 'reason-wanted':
        throw fail('required', {
          noun: 'agent',
          name: number,
          facts: { team, field: 'reason' },
          says: `team ${team} has pause reasons`,
          remedy: {
            text: `add --reason with the digit of one ({0}), or --reason ${noReason} for none`,
            steps: [{ noun: 'pause-reason', verb: 'list', team }],
          },
        });
      case 'unknown-reason':
        throw unknown('pause-reason', team, reason ?? '');
      case 'busy':
        throw inCall(result.signIn, 'pauses');
      case 'not-signed-in':
        throw notSignedIn(team, number);
    }
  });
}

/** Ends the pause or wrap-up of an agent, as `*67` does. */
export function readyAgent(db: Queryable, team: string, number: string): Promise<AdminAction> {
  return act(db, team, number, async (trx) => {
    const result = await ready(trx, team, { agent: number });
    if (result.outcome === 'not-signed-in') throw notSignedIn(team, number);
    if (result.outcome === 'busy') throw inCall(result.signIn, 'is made ready');
    return done(trx, result.signIn, result.outcome);
  });
}

/** Sets what an agent does in those of their groups that leave it to them, as `*62` does. */
export function setAgentWorkMode(
  db: Queryable,
  team: string,
  number: string,
  mode: string,
): Promise<AdminAction & { workMode: string }> {
  const workMode = checkChoice('work mode', [...workModes.values()], mode);
  const [digit] = [...workModes].find(([, one]) => one === workMode) ?? [];
  return act(db, team, number, async (trx) => {
    const result = await setWorkMode(trx, team, { agent: number }, digit);
    switch (result.outcome) {
      case 'mode-set':
        return { ...(await done(trx, result.signIn, 'mode-set')), workMode };
      case 'no-choice':
        throw refusal(team, number)('no_choice', 'has no group that leaves the work mode to the agent', {
          text: 'see {0}',
          steps: [{ noun: 'group', verb: 'set', name: '<name>', options: '--work-mode choice', team }],
        });
      case 'not-signed-in':
        throw notSignedIn(team, number);
      default:
        throw new Error(`work mode ${workMode} came to ${result.outcome}`);
    }
  });
}

/** Chooses the current group of an agent, as `*63` does, but by name, which a group without a number has too. */
export function setAgentGroup(
  db: Queryable,
  team: string,
  number: string,
  group: string,
): Promise<AdminAction & { group: string }> {
  return act(db, team, number, async (trx) => {
    const { agents } = await showGroup(trx, team, group);
    const result = await setCurrentGroup(trx, team, { agent: number }, { name: group });
    if (result.outcome === 'not-signed-in') throw notSignedIn(team, number);
    if (result.outcome !== 'group-set') {
      const has = agents.length === 0 ? 'no agents' : `the agents ${agents.join(', ')}`;
      throw fail('conflict', {
        noun: 'agent',
        name: number,
        facts: { team, group },
        says: `agent ${number} of team ${team} is not in group ${group}, which has ${has}`,
        remedy: {
          text: 'choose one of their own ({0})',
          steps: [{ noun: 'agent', verb: 'show', name: number, team }],
        },
      });
    }
    return { ...(await done(trx, result.signIn, result.outcome)), group };
  });
}

/**
 * Signs out every agent of a group who is signed in, in any state, all of them or none; returns what came of each.
 * Fixed agents stay (`fixed`). A call that rang for one of them goes to who is left.
 */
export function signOutGroup(db: Queryable, team: string, group: string, by: string): Promise<AdminAction[]> {
  return change(db, async (trx, tell) => {
    const scope = await scopeOf(trx, team);
    tell({ verb: 'set', noun: groupNoun, scope, name: group, given: {} });
    await requireRow(trx, groupNoun, scope, group);
    const results = await signOutAll(trx, team, group, by);
    const ended = results.filter(({ outcome }) => outcome === 'signed-out');
    await tellServers(
      trx,
      ended.map(({ signIn }) => signIn.id),
    );
    return results.map(({ signIn, outcome }) => actionOn(signIn, outcome));
  });
}

/** One action in one transaction: the servers are told of nothing that is not committed. */
function act<T>(
  db: Queryable,
  team: string,
  number: string,
  work: (trx: Queryable, scope: Scope) => Promise<T>,
): Promise<T> {
  return change(db, async (trx, tell) => {
    const scope = await scopeOf(trx, team);
    tell({ verb: 'set', noun: agentNoun, scope, name: number, given: {} });
    await requireRow(trx, agentNoun, scope, number);
    return work(trx, scope);
  });
}

async function done(trx: Queryable, on: SignIn, outcome: string): Promise<AdminAction> {
  await tellServers(trx, [on.id]);
  return actionOn(on, outcome);
}

const actionOn = ({ team, agent, extension }: SignIn, outcome: string): AdminAction => ({
  team,
  agent,
  extension,
  outcome,
});

const refusal =
  (team: string, number: string) =>
  (code: ErrorCode, says: string, remedy: Remedy): Star64Error =>
    fail(code, {
      noun: 'agent',
      name: number,
      facts: { team },
      says: `agent ${number} of team ${team} ${says}`,
      remedy,
    });

const notSignedIn = (team: string, number: string): Star64Error =>
  refusal(team, number)('not_signed_in', 'is not signed in', {
    text: 'first {0}',
    steps: [{ noun: 'agent', verb: 'sign-in', name: number, options: '--extension <number>', team }],
  });

const inCall = ({ team, agent, extension }: SignIn, what: string): Star64Error =>
  refusal(team, agent)('in_call', `is in a call at extension ${extension}, or it rings there`, {
    text: `try again when that is over, before the agent ${what}`,
  });
