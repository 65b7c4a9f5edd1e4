import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import type { Centre } from '../../../lab/centre.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreFor, needLab, signedInPhone } from '../centre.js';
import { Provider } from '../phones/providers.js';

/** The number that callers dial, and the number of who is to be called back. */
export const own = '+4930600101';
export const customer = '+493012345678';
export const queue = 'astercc-support';

/** A centre with two servers whose group support calls back at key 1, over a provider. */
export class CallbackCentre {
  private constructor(
    readonly centre: Centre,
    readonly provider: Provider,
  ) {}

  static async start(t: Test): Promise<CallbackCentre> {
    await needLab(t);
    const provider = await Provider.start('provider.a', 83);
    t.teardown(() => provider.stop());
    const centre = await centreFor(t, {
      servers: 2,
      asterisk: {
        amiWrite: 'agent,call,reporting,originate',
        extra: { 'pjsip.conf': provider.section() },
      },
      provision: async (db) => {
        const groups = [
          { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0 },
        ];
        await provision(db, crowd(2, { groups }));
        await addTrunk(db, 'astercc', { name: 'a', endpoint: provider.endpoint, country: 'DE' });
        await setTeam(db, 'astercc', { country: 'DE', trunk: 'a', outsidePrefix: '0' });
        await addDid(db, 'astercc', { number: own, to: 'group:support' });
        await setGroup(db, 'astercc', 'support', { callbackKey: 1 });
      },
    });
    await provider.reachable(centre.asterisk);
    provider.does('ring');
    await signedInPhone(centre, '1001');
    // Nobody is offered it before a server has said that one puts callers back into the queue.
    await until(
      'a server to promise callbacks',
      async () =>
        /STAR64_CALLBACKS=[1-9]/.test(await centre.asterisk.console('dialplan show globals')) || undefined,
    );
    return new CallbackCentre(centre, provider);
  }

  async call(from: string): Promise<Caller> {
    const { asterisk, phones } = this.centre;
    const caller = await Caller.call({ from, to: own.slice(1), server: asterisk.sip });
    phones.push(caller.phone);
    return caller;
  }

  /** Who waits presses the key, confirms the number, and is let go. */
  async asks(caller: Caller): Promise<void> {
    const { asterisk } = this.centre;
    const mark = await asterisk.verbose.mark();
    await caller.phone.digits('1');
    await asterisk.waitPlayed('lab-trunk', 'if-correct-press', mark);
    await caller.phone.digits('1');
    await caller.ended();
  }

  /** Waits until these stand in the queue, the first one first: `callback`, or the number of a caller. */
  async waitOrder(...wanted: string[]): Promise<void> {
    await until(
      `${wanted.join(', ') || 'nobody'} in the queue`,
      async () => ((await this.#order()).join() === wanted.join() ? true : undefined),
      30_000,
    );
  }

  async #order(): Promise<string[]> {
    const { asterisk } = this.centre;
    const text = await asterisk.console(`queue show ${queue}`);
    const channels = [...text.matchAll(/^ +[0-9]+\. ([A-Za-z0-9]+)\/(\S+) /gm)];
    const numbers = await Promise.all(
      channels.map(async ([, kind = '', rest = '']) =>
        kind === 'Local'
          ? 'callback'
          : /CALLERID\(num\) *= *(\S+)|Caller ID: (\S+)/.exec(
              await asterisk.console(`core show channel ${kind}/${rest}`),
            )?.[2],
      ),
    );
    return numbers.map((number) => number ?? '?');
  }
}
