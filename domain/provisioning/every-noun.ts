import { agents } from './people/agent.js';
import { announcements } from './features/announcement.js';
import { bindings } from './features/binding.js';
import { callKeys } from './features/call-key.js';
import { didRules } from './numbers/did-rule.js';
import { dids } from './numbers/did.js';
import { extensions } from './numbers/extension.js';
import { featureCodes } from './features/feature-code.js';
import { groups } from './people/group.js';
import { allHours } from './features/hours.js';
import { menus } from './features/menu.js';
import { numberClassesOf } from './numbers/number-class.js';
import { pauseReasons } from './people/pause-reason.js';
import { ringGroups } from './features/ring-group.js';
import { rooms } from './features/room.js';
import { teams } from './team.js';
import { trunkGroups } from './numbers/trunk-group.js';
import { trunks } from './numbers/trunk.js';
import { userGroups } from './people/user-group.js';
import { users } from './people/user.js';
import type { NounName } from '../names.js';
import type { Operations } from './operations/operations.js';

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
