import type { Command } from 'commander';
import { generatedFields, trunk } from '../../../domain/provisioning/nouns/trunk.js';
import type { Context, Invocation } from '../../context.js';
import { registerNoun } from './noun.js';
import { registerTrunkTest } from './trunk-test.js';

/** `star64 trunk …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    trunk,
    async () => (await import('../../../domain/provisioning/numbers/trunk.js')).trunks,
    {
      commands: registerTrunkTest,
      // What only a generated trunk has says nothing of one of the operator's.
      shown: (_invocation, row) => Promise.resolve(asItIs(row)),
      afterAdd: lookForEndpoint,
      afterSet: (invocation, _name, values) => lookForEndpoint(invocation, values),
    },
  );
}

function asItIs(row: object): object {
  if ((row as { generated?: boolean }).generated !== false) return row;
  const absent = Object.fromEntries(
    generatedFields.filter((field) => field in row).map((field) => [field, null]),
  );
  return { ...row, ...absent };
}

/** A wrong name of the endpoint shows only when the first call fails: Asterisk is asked now, if it can be. */
async function lookForEndpoint(
  { settings, say }: Invocation,
  { endpoint, generated }: Readonly<Record<string, unknown>>,
): Promise<void> {
  // A generated one is there once `star64 apply` has been typed.
  if (typeof endpoint !== 'string' || generated === true) return;
  const { ami } = await settings();
  const look = `asterisk -rx 'pjsip show endpoint ${endpoint}'`;
  const { secret } = ami;
  if (secret === undefined) {
    say(`the endpoint ${endpoint} has to be in your pjsip.conf; whether it is, Asterisk says: ${look}`);
    return;
  }
  try {
    const { knowsEndpoint } = await import('../../../pbx/ami/knows-endpoint.js');
    if (await knowsEndpoint({ ...ami, secret }, endpoint)) return;
    say(
      `warning: Asterisk knows no endpoint ${endpoint}: it has to be in your pjsip.conf, and loaded (module reload res_pjsip.so), before the first call. ${look}`,
    );
  } catch (error) {
    const { message } = error as Error;
    say(`whether Asterisk has the endpoint ${endpoint} could not be asked (${message}): ${look}`);
  }
}
