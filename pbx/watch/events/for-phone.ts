import type { Database } from '../../../domain/database/pool.js';
import { openSignIn, type SignIn } from '../../../domain/presence/open-sign-in.js';
import type { AmiMessage } from '../../ami/message.js';
import { phonesAt } from '../../queue/phones.js';
import { deviceIn } from './event-headers.js';
import type { Work } from './ordered-work.js';

/**
 * Work for whoever is signed in at the phone that a header of an event names, after what is under way of its call;
 * `orElse`: where nobody is.
 */
export type ForPhone = (
  event: AmiMessage,
  header: string,
  run: (signIn: SignIn) => Promise<void>,
  orElse?: () => Promise<void>,
) => Work;

export const forPhoneOf =
  (db: Database, node: string): ForPhone =>
  (event, header, run, orElse) => {
    const device = deviceIn(event.headers.get(header) ?? '');
    return {
      key: device,
      after: event.headers.get('uniqueid') ?? '',
      run: async (): Promise<void> => {
        const phone = (await phonesAt(db, node, [device])).get(device);
        if (!phone) return;
        const signIn = await openSignIn(db, phone.team, { extension: phone.extension });
        // A phone of a team that lives on another node is none of ours, whatever it is called here.
        if (signIn && signIn.node !== node) return;
        await (signIn ? run(signIn) : orElse?.());
      },
    };
  };
