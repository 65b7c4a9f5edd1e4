import { agents } from './agent.js';
import { announcements } from './announcement.js';
import { bindings } from './binding.js';
import { callKeys } from './call-key.js';
import { didRules } from './did-rule.js';
import { dids } from './did.js';
import { extensions } from './extension.js';
import { featureCodes } from './feature-code.js';
import { groups } from './group.js';
import { allHours } from './hours.js';
import { menus } from './menu.js';
import { numberClassesOf } from './number-class.js';
import { pauseReasons } from './pause-reason.js';
import { ringGroups } from './ring-group.js';
import { rooms } from './room.js';
import { teams } from './team.js';
import { trunkGroups } from './trunk-group.js';
import { trunks } from './trunk.js';
import { userGroups } from './user-group.js';
import { users } from './user.js';
import type { NounName } from '../names.js';
import type { Operations } from './operations.js';

const all: Partial<Record<NounName, Operations>> = {
  agent: agents,
  announcement: announcements,
  binding: bindings,
  'call-key': callKeys,
  'did-rule': didRules,
  did: dids,
  extension: extensions,
  'feature-code': featureCodes,
  group: groups,
  hours: allHours,
  menu: menus,
  'number-class': numberClassesOf,
  'pause-reason': pauseReasons,
  'ring-group': ringGroups,
  room: rooms,
  team: teams,
  'trunk-group': trunkGroups,
  trunk: trunks,
  'user-group': userGroups,
  user: users,
};

/** The operations of a noun, for a door that has all of them; a command line imports those of the one that is typed. */
export function operationsNamed(noun: NounName): Operations {
  const found = all[noun];
  if (!found) throw new Error(`noun ${noun} has no operations in every-noun.ts`);
  return found;
}
