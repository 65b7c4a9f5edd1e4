import type { Command } from 'commander';
import { extension } from '../../domain/provisioning/nouns/extension.js';
import type { Context, Invocation } from '../context.js';
import { registerNoun } from './noun.js';

/** `star64 extension …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    extension,
    async () => (await import('../../domain/provisioning/extension.js')).extensions,
    { shown: withLogin },
  );
}

/** Where the secret of a device is shown, there is all that has to be typed into it. */
async function withLogin({ settings, say }: Invocation, row: object): Promise<object> {
  const { team, number, secret } = row as { team: string; number: string; secret?: string | null };
  if (typeof secret !== 'string') return row;
  const { asterisk } = await settings();
  const server = asterisk.sipServer ?? null;
  if (server === null) {
    say(
      "server: the address of your Asterisk as the phone reaches it (asterisk -rx 'pjsip show transports' has the port); asterisk.sip_server in the settings has it printed here",
    );
  }
  // The secret stays last: it is what is looked for.
  const before = Object.entries(row).filter(([key]) => key !== 'secret');
  return { ...Object.fromEntries(before), login: `${team}-${number}`, server, secret };
}
