import { administersAny } from '../../domain/presence/group-administrator.js';
import {
  beginSupervision,
  provenSupervisor,
  supervisionModes,
  type HeardCall,
  type SupervisionMode,
} from '../../domain/calls/commands/supervision.js';
import type { Told } from '../answer.js';
import { feature, type Dialled } from './feature.js';
import type { Services } from './script.js';
import { supervisorByPin, supervisorHere, type Supervisor } from './supervisor.js';

/** What star64-supervise is told beside the answer: `<which call>|<queue>|<id of the record>|<yes: announce it>`. */
const supervisionVariable = 'STAR64_SUPERVISION';

/**
 * `*71`, `*72`, `*73<extension>`: an administrator of a group listens to a call of it, whispers to its agent, or talks with
 * both; at a phone of theirs, elsewhere with their PIN. The third argument has `<mode>:<extension>:<calls there>`, each call as
 * `<number>=<queue>=<linkedid>`, joined by `&`. That they listen is recorded before anything is heard. Fails closed.
 */
export const supervise = feature(async (services, dialled) => {
  const { db } = services;
  const proven = await provenSupervisor(db, dialled.team, dialled.by);
  const who =
    proven === undefined
      ? await supervisorHere(db, dialled, 'supervise-refused')
      : // They follow to the next call: what they have proven holds, and what they administer is looked at again.
        { userId: proven };
  return decide(services, dialled, who);
});

/** The same by whoever keys a number of theirs and their PIN. */
export const supervisePin = feature(async (services, dialled) =>
  decide(services, dialled, await supervisorByPin(services.db, dialled)),
);

async function decide({ db }: Services, dialled: Dialled, who: Supervisor): Promise<Told> {
  const { team, extension: from, by, session } = dialled;
  if ('outcome' in who) return who.outcome;
  const { userId } = who;
  if (!(await administersAny(db, team, userId))) return 'supervise-refused';
  const { mode, extension, calls, places } = parse(dialled.digits ?? '');
  if (mode === undefined) return 'supervise-refused';
  if (extension === '') return 'extension-wanted';
  const begun = await beginSupervision(db, { team, userId, from, extension, calls, mode, byCall: by });
  if (begun.outcome !== 'begun')
    return begun.outcome === 'nothing'
      ? { outcome: 'supervise-nothing', facts: { extension } }
      : begun.outcome;
  const place = places[begun.at - 1] ?? '';
  const announced = begun.announced ? 'yes' : '';
  await session.setVariable(supervisionVariable, `${place}|${begun.queue}|${begun.id}|${announced}`);
  return { outcome: 'supervise-go', facts: { extension, mode, group: begun.queue } };
}

function parse(text: string): {
  mode: SupervisionMode | undefined;
  extension: string;
  calls: HeardCall[];
  places: string[];
} {
  const [word = '', extension = '', listed = ''] = text.split(':');
  const found = listed
    .split('&')
    .flatMap((one) => [/^([1-9][0-9]?)=([a-z0-9_-]+)=([A-Za-z0-9._-]+)$/.exec(one)])
    .flatMap((match) =>
      match ? [{ place: match[1] ?? '', queue: match[2] ?? '', call: match[3] ?? '' }] : [],
    );
  return {
    mode: supervisionModes.find((one) => one === word),
    extension: /^[0-9]{2,10}$/.test(extension) ? extension : '',
    calls: found.map(({ queue, call }) => ({ queue, call })),
    places: found.map(({ place }) => place),
  };
}
