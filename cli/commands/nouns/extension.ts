import type { Command } from 'commander';
import { extension } from '../../../domain/provisioning/nouns/extension.js';
import type { Context, Invocation } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 extension …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    extension,
    async () => (await import('../../../domain/provisioning/numbers/extension.js')).extensions,
    {
      shown: withLogin,
      afterAdd: ({ team, say }, { endpoint }) => {
        tellLines(say, team, endpoint);
        return Promise.resolve();
      },
      afterSet: ({ team, say }, _number, { endpoint }) => {
        tellLines(say, team, endpoint);
        return Promise.resolve();
      },
    },
  );
}

/** The lines that an endpoint of the operator's own needs: star64 writes in no file of theirs. */
function tellLines(say: Invocation['say'], team: string, endpoint: unknown): void {
  if (typeof endpoint !== 'string') return;
  say(`Lines for your own files:
  ; pjsip.conf, in the endpoint [${endpoint}]: the phone has one call at a time, whoever calls it
  set_var = GROUP(star64)=PJSIP/${endpoint}
  ; extensions.conf, in the context of that endpoint: the feature codes, the code that calls an agent, and codes with a # behind
  include => ${team}-features
  include => ${team}-call-agent
  include => ${team}-hashed-codes`);
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
