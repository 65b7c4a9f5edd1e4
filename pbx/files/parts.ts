/**
 * The parts of a generation, each taken in by a file of the operator's own. Rules are when callers of a queue overflow to
 * agents of another group: app_queue reads them together with the queues, from a file of their own. Features are the keys within a call that Asterisk does
 * not have itself; without them everything else works.
 */
export type Part = 'phones' | 'queues' | 'rules' | 'features' | 'dialplan';

/** The file of a part that the operator's file of the same name takes in. */
export const fileOf: Readonly<Record<Part, string>> = {
  phones: 'pjsip.conf',
  queues: 'queues.conf',
  rules: 'queuerules.conf',
  features: 'features.conf',
  dialplan: 'extensions.conf',
};

/** The part that a generated file belongs to. */
export function partOf(path: string): Part {
  if (path === fileOf.phones || path.startsWith('phones/')) return 'phones';
  if (path === fileOf.queues || path.startsWith('queues/')) return 'queues';
  if (path === fileOf.rules) return 'rules';
  if (path === fileOf.features) return 'features';
  return 'dialplan';
}
