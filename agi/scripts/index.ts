import { agentPlace } from './agent-place.js';
import { anybody } from './anybody.js';
import { currentGroup } from './current-group.js';
import { hoursSwitch, hoursSwitchPin } from './hours-switch.js';
import { inbound } from './inbound.js';
import { outbound } from './outbound.js';
import { outside } from './outside.js';
import { pause } from './pause.js';
import { ready } from './ready.js';
import { ringGroup } from './ring-group.js';
import { signInPin } from './sign-in-pin.js';
import { signIn } from './sign-in.js';
import { signOut } from './sign-out.js';
import { status } from './status.js';
import { transferFallback } from './transfer-fallback.js';
import { unknownNumber } from './unknown-number.js';
import { waiting } from './waiting.js';
import { workMode } from './work-mode.js';
import type { Script } from './script.js';

/** Every question that the dialplan may ask, by the name in its URL. */
export const scripts: ReadonlyMap<string, Script> = new Map([
  ['sign-in', signIn],
  ['sign-in-pin', signInPin],
  ['sign-out', signOut],
  ['pause', pause],
  ['ready', ready],
  ['work-mode', workMode],
  ['current-group', currentGroup],
  ['status', status],
  ['waiting', waiting],
  ['hours-switch', hoursSwitch],
  ['hours-switch-pin', hoursSwitchPin],
  ['inbound', inbound],
  ['anybody', anybody],
  ['agent-place', agentPlace],
  ['ring-group', ringGroup],
  ['unknown-number', unknownNumber],
  ['outbound', outbound],
  ['outside', outside],
  ['transfer-fallback', transferFallback],
]);
