import { prepared, type Database } from '../../../domain/database/pool.js';
import type { Position } from '../../../domain/hours-rules.js';
import { switchDevice, switchStates } from '../../../domain/hours-switch.js';
import type { ManagerActions } from '../../ami/manager.js';
import { inPortions } from '../loops/in-portions.js';
import type { Difference, Step } from './step.js';

interface WrongSwitch extends Difference {
  readonly device: string;
  readonly state: string;
}

/** The switch of each hours stands in Asterisk, which goes by it without a server, as it stands in the database. */
export class CompareHours implements Step<WrongSwitch> {
  readonly name = 'switches of hours';

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly manager: ManagerActions,
  ) {}

  async compare(): Promise<WrongSwitch[]> {
    const hours = await prepared<{ team: string; name: string; position: Position }>(
      this.db,
      `select t.identity as team, h.name, h.position from hours h join teams t on t.id = h.team_id where t.node = ?`,
      [this.node],
    );
    const compared = await inPortions(hours, async ({ team, name, position }) => {
      const device = switchDevice(team, name);
      const { headers } = await this.manager.action('Getvar', { Variable: `DEVICE_STATE(${device})` });
      const shown = headers.get('value') ?? '';
      const state = switchStates[position];
      return shown === state ? [] : [{ key: `switch ${device} is ${shown}, ${position}`, device, state }];
    });
    return compared.flat();
  }

  async mend(differences: readonly WrongSwitch[]): Promise<void> {
    await inPortions(differences, ({ device, state }) =>
      this.manager.action('Setvar', { Variable: `DEVICE_STATE(${device})`, Value: state }),
    );
  }
}
