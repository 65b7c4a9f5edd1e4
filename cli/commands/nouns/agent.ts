import type { Command } from 'commander';
import { agent } from '../../../domain/provisioning/nouns/agent.js';
import type { Context } from '../../context.js';
import { registerActions } from './agent-actions.js';
import { registerReport } from './agent-report.js';
import { registerNoun } from './noun.js';

/** `star64 agent …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    agent,
    async () => (await import('../../../domain/provisioning/people/agent.js')).agents,
    {
      commands: (command, within) => {
        registerActions(command, within);
        registerReport(command, within);
      },
    },
  );
}
