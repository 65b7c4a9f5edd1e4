import type { CallStep } from '../../../domain/calls/records/steps.js';
import type { AmiMessage } from '../../ami/message.js';
import { phoneOf } from '../../queue/names.js';
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
      if (header('userevent') === 'Star64RingGroup')
        return of(header('linkedid'), 'ring-group', { group: header('ringgroup') });
      return of(header('call'), header('step'), factsIn(header('facts')));
    case 'AgentComplete':
      return of(header('linkedid') || header('destlinkedid'), 'parted', {
        agent: header('membername'),
        reason: header('reason'),
      });
    case 'BlindTransfer':
      if (header('result') !== 'Success') return undefined;
      return of(header('transfereelinkedid') || header('transfererlinkedid'), 'transferred', {
        by: phoneIn(header('transfererchannel')),
        to: header('extension'),
        how: 'blind',
      });
    case 'AttendedTransfer': {
      if (header('result') !== 'Success') return undefined;
      const target = header('transfertargetchannel');
      // The exten of a phone that asks by a key is where its own call came from; what it dialled is in the name of that leg.
      const [, dialled] = /^Local\/([^@]+)@[a-z0-9]+-transfers-/.exec(target) ?? [];
      const to = phoneIn(target) || (dialled ?? header('secondtransfererexten'));
      const by = phoneIn(header('origtransfererchannel'));
      // In a conference there is not one who is sent on.
      const call = header('transfereelinkedid') || header('origtransfererlinkedid');
      return header('desttype') === 'Threeway'
        ? of(call, 'conference', { by, to })
        : of(call, 'transferred', { by, to, how: 'attended' });
    }
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
