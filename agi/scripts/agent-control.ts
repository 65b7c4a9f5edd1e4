import { administersAgent } from '../../domain/presence/group-administrator.js';
import { noReason, ready } from '../../domain/presence/pause.js';
import { signOut } from '../../domain/presence/sign-in.js';
import type { Told } from '../answer.js';
import { soundsOf } from '../prompts.js';
import type { Session } from '../wire/session.js';
import { feature, type Dialled } from './feature.js';
import type { Services } from './script.js';
import { supervisorByPin, supervisorHere, type Supervisor } from './supervisor.js';

/** Between the words of what may be keyed, and after them. */
const betweenMs = 50;
const patienceMs = 7000;

/**
 * `*75<agent>`: an administrator of a group that the agent is in signs them out (1) or makes them ready (2), which
 * `agent-control-pin` asks for; at a phone of theirs, elsewhere with their PIN. Fails closed.
 */
export const agentControl = feature(async (services, dialled) => {
  const who = await supervisorHere(services.db, dialled, 'control-refused');
  const refused = await refusal(services, dialled, who);
  return refused ?? { outcome: 'control-wanted', facts: { agent: dialled.digits } };
});

/** Asks what is to be done with the agent, and who asks for it, if the phone is not theirs. */
export const agentControlPin = feature(async (services, dialled) => {
  const here = await supervisorHere(services.db, dialled, 'control-refused');
  const who =
    'outcome' in here && here.outcome === 'supervisor-pin-wanted'
      ? await supervisorByPin(services.db, dialled)
      : here;
  const refused = await refusal(services, dialled, who);
  if (refused !== undefined) return refused;
  const agent = dialled.digits ?? '';
  const key = await keyed(dialled.session, soundsOf('control-wanted', { agent }));
  if (key === '1') return signedOut(services, dialled, agent);
  if (key === '2') return madeReady(services, dialled, agent);
  return key === '' ? 'pin-silence' : 'control-unknown-key';
});

/** Why nothing is done; undefined: they may. */
async function refusal(
  { db }: Services,
  { team, digits }: Dialled,
  who: Supervisor,
): Promise<Told | undefined> {
  if ('outcome' in who) return who.outcome;
  if (digits === undefined) return 'control-agent-wanted';
  const administers = await administersAgent(db, team, who.userId, digits);
  if (administers === undefined) return 'control-unknown-agent';
  return administers ? undefined : 'control-refused';
}

async function keyed(session: Session, sounds: readonly string[]): Promise<string> {
  for (const [index, sound] of sounds.entries()) {
    const key = await session.getData(sound, index === sounds.length - 1 ? patienceMs : betweenMs, 1);
    if (key !== '') return key;
  }
  return '';
}

async function signedOut({ db, membership }: Services, { team, by }: Dialled, agent: string): Promise<Told> {
  const result = await signOut(db, team, { agent }, by);
  if (result.outcome === 'not-signed-in') return { outcome: 'control-not-signed-in', facts: { agent } };
  if (result.outcome === 'fixed') return { outcome: 'control-fixed', facts: { agent } };
  await membership.sync(result.signIn, { thorough: true });
  if (result.offer !== undefined) await membership.cancelOffer(result.offer);
  return { outcome: 'control-signed-out', facts: { agent } };
}

async function madeReady({ db, membership }: Services, { team }: Dialled, agent: string): Promise<Told> {
  const result = await ready(db, team, { agent });
  if (result.outcome === 'not-signed-in') return { outcome: 'control-not-signed-in', facts: { agent } };
  if (result.outcome === 'busy') return { outcome: 'control-busy', facts: { agent } };
  await membership.sync(result.signIn);
  if (result.outcome === 'ready') return { outcome: 'control-ready', facts: { agent } };
  const reason = result.reason === noReason ? undefined : (result.reason ?? undefined);
  return { outcome: 'control-resumed', facts: { agent, reason } };
}
