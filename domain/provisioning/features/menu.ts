import type { Changes } from '../fields/description.js';
import { menu } from '../nouns/menu.js';
import { operationsOf } from '../operations/operations.js';

export type MenuChanges = Changes<typeof menu>;

export const menus = operationsOf(menu);
