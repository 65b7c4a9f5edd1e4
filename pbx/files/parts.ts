/**
 * The three parts of a generation, each read by a module of Asterisk of its own and each taken in by a file of the
 * operator's own.
 */
export type Part = 'phones' | 'queues' | 'dialplan';

/** The file of a part that the operator's file of the same name takes in. */
export const fileOf: Readonly<Record<Part, string>> = {
  phones: 'pjsip.conf',
  queues: 'queues.conf',
  dialplan: 'extensions.conf',
};

/** The part that a generated file belongs to. */
export function partOf(path: string): Part {
  if (path === fileOf.phones || path.startsWith('phones/')) return 'phones';
  if (path === fileOf.queues || path.startsWith('queues/')) return 'queues';
  return 'dialplan';
}
