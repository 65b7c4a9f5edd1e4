import type { Command } from 'commander';
import { announcement } from '../../../domain/provisioning/nouns/announcement.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 announcement …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    announcement,
    async () => (await import('../../../domain/provisioning/features/announcement.js')).announcements,
  );
}
