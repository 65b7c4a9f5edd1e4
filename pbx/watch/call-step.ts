import type { CallStep } from '../../domain/calls/steps.js';
import type { AmiMessage } from '../ami/message.js';
import { phoneOf } from '../queue/names.js';
import { deviceOfChannel } from './event-headers.js';

/**
 * The step in the story of a call that an event tells. Star64Step is the dialplan's word for all of them:
 * UserEvent(Star64Step,Call: <linkedid>,Step: <kind>,Facts: <name>=<value>&<name>=<value>); values pass FILTER() there.
 */
export function stepOf({ name, headers }: AmiMessage): CallStep | undefined {
  const header = (key: string): string => headers.get(key) ?? '';
  const of = (call: string, kind: string, facts: Record<string, string>): CallStep | undefined =>
    call === ''
      ? undefined
      : { call, kind, facts: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== '')) };
  switch (name) {
    case 'UserEvent':
      return of(header('call'), header('step'), factsIn(header('facts')));
    case 'AgentComplete':
      return of(header('linkedid') || header('destlinkedid'), 'parted', {
        agent: header('membername'),
        reason: header('reason'),
      });
    case 'BlindTransfer':
      if (header('result') !== 'Success') return undefined;
      return of(header('transfereelinkedid'), 'transferred', {
        by: phoneIn(header('transfererchannel')),
        to: header('extension'),
        how: 'blind',
      });
    case 'AttendedTransfer':
      if (header('result') !== 'Success') return undefined;
      return of(header('transfereelinkedid'), 'transferred', {
        by: phoneIn(header('origtransfererchannel')),
        to: phoneIn(header('transfertargetchannel')) || header('secondtransfererexten'),
        how: 'attended',
      });
    default:
      return undefined;
  }
}

/** Nothing is escaped in them: a number may have a +. */
const factsIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('&').flatMap((fact) => {
      const at = fact.indexOf('=');
      return at < 1 ? [] : [[fact.slice(0, at), fact.slice(at + 1)]];
    }),
  );

/** The extension whose phone a channel is; empty for another one. */
const phoneIn = (channel: string): string => phoneOf(deviceOfChannel(channel))?.extension ?? '';
