import type { Command } from 'commander';
import { menu } from '../../../domain/provisioning/nouns/menu.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 menu …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    menu,
    async () => (await import('../../../domain/provisioning/features/menu.js')).menus,
  );
}
