import type { Command } from 'commander';
import { trunk } from '../../domain/provisioning/nouns/trunk.js';
import type { Context, Invocation } from '../context.js';
import { registerNoun } from './noun.js';

/** `star64 trunk …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    trunk,
    async () => (await import('../../domain/provisioning/trunk.js')).trunks,
    {
      afterAdd: lookForEndpoint,
      afterSet: (invocation, _name, values) => lookForEndpoint(invocation, values),
    },
  );
}

/** A wrong name of the endpoint shows only when the first call fails: Asterisk is asked now, if it can be. */
async function lookForEndpoint(
  { settings, say }: Invocation,
  { endpoint }: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (typeof endpoint !== 'string') return;
  const { ami } = await settings();
  const look = `asterisk -rx 'pjsip show endpoint ${endpoint}'`;
  const { secret } = ami;
  if (secret === undefined) {
    say(`the endpoint ${endpoint} has to be in your pjsip.conf; whether it is, Asterisk says: ${look}`);
    return;
  }
  try {
    const { knowsEndpoint } = await import('../../pbx/ami/knows-endpoint.js');
    if (await knowsEndpoint({ ...ami, secret }, endpoint)) return;
    say(
      `warning: Asterisk knows no endpoint ${endpoint}: it has to be in your pjsip.conf, and loaded (module reload res_pjsip.so), before the first call. ${look}`,
    );
  } catch (error) {
    const { message } = error as Error;
    say(`whether Asterisk has the endpoint ${endpoint} could not be asked (${message}): ${look}`);
  }
}
