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
    {
      afterAdd: ({ team, say }, { endpoint }: { endpoint?: unknown }) => {
        tellLines(say, team, endpoint);
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
  ; extensions.conf, in the context of that endpoint: the feature codes
  include => ${team}-features`);
}
