import type { NounName } from '../../names.js';
import type { Noun } from '../fields/description.js';
import { agent } from './agent.js';
import { announcement } from './announcement.js';
import { binding } from './binding.js';
import { callKey } from './call-key.js';
import { didRule } from './did-rule.js';
import { did } from './did.js';
import { extension } from './extension.js';
import { featureCode } from './feature-code.js';
import { group } from './group.js';
import { hours } from './hours.js';
import { menu } from './menu.js';
import { pauseReason } from './pause-reason.js';
import { ringGroup } from './ring-group.js';
import { room } from './room.js';
import { team } from './team.js';
import { trunk } from './trunk.js';
import { trunkGroup } from './trunk-group.js';
import { numberClass } from './number-class.js';
import { userGroup } from './user-group.js';
import { user } from './user.js';
import { webhook } from './webhook.js';

/** Every noun, in the order of help and reference page. */
export const nouns: readonly Noun[] = [
  team,
  user,
  userGroup,
  extension,
  agent,
  group,
  did,
  didRule,
  binding,
  hours,
  ringGroup,
  announcement,
  menu,
  room,
  trunk,
  trunkGroup,
  numberClass,
  featureCode,
  callKey,
  pauseReason,
  webhook,
];

const byName = new Map<NounName, Noun>(nouns.map((noun) => [noun.noun, noun]));

/** The description of a noun. */
export function nounNamed(name: NounName): Noun {
  const noun = byName.get(name);
  if (!noun) throw new Error(`no noun is called ${name}`);
  return noun;
}

/** In which order what refers to each other can be removed. */
export const removalOrder: readonly NounName[] = [
  'user-group',
  'number-class',
  'did-rule',
  'binding',
  'did',
  'ring-group',
  'announcement',
  'menu',
  'room',
  'agent',
  'group',
  'hours',
  'extension',
  'user',
  'trunk-group',
  'trunk',
  'team',
];
