import { envelopeFields, eventFamilies, type EventFamily } from '../domain/monitor/event-fields.js';
import { table } from './reference-table.js';

/** `docs/events.md`, whole. */
export function eventReference(): string {
  return [
    '# Events',
    '',
    '<!-- made from domain/monitor/event-fields.ts -->',
    '',
    'What `star64 events`, the stream and the pages of the [HTTP API](API.md) and [webhooks](webhooks.md) tell. Names are those of the moment.',
    'A field that does not apply is `null`. One that is in brackets is not always there. Fields may be added by a later version.',
    '',
    'Every event has:',
    '',
    ...table(['field', ''], Object.entries(envelopeFields).map(cells)),
    '',
    '**Tell events apart by `cursor`, never by `id`.** `call.arrived` and `call.ended` of one call have the same `id`, and so have `call.queued` and `call.answered` of one visit to a queue.',
    '',
    '## Types',
    '',
    ...table(
      ['type', 'when', 'fields'],
      eventFamilies.flatMap(({ when, fields }) =>
        Object.entries(when).map(([type, what]) => [
          `\`${type}\``,
          what,
          Object.keys(fields).map(named).join(' '),
        ]),
      ),
    ),
    '',
    '## What the fields say',
    '',
    ...eventFamilies.flatMap(section),
  ].join('\n');
}

const section = ({ when, fields }: EventFamily): string[] => [
  `### ${Object.keys(when).join(', ')}`,
  '',
  ...table(['field', ''], Object.entries(fields).map(cells)),
  '',
];

const named = (name: string): string => (name.endsWith('?') ? `[\`${name.slice(0, -1)}\`]` : `\`${name}\``);
const cells = ([name, what]: [string, string]): string[] => [named(name), what];
