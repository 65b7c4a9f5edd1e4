import { pino } from 'pino';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import type { ManagerActions } from '../../pbx/ami/manager.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Conferences } from '../../pbx/watch/events/conferences.js';

/**
 * What is done as a conference begins, of an agent who has asked these rooms, and when all others have left but one. `gone`:
 * what has asked hung up before.
 */
async function begun(
  target: string,
  rooms: string,
  { leading = true, alone = false, gone = false } = {},
): Promise<Record<string, string>[]> {
  const asked: Record<string, string>[] = [];
  const done: Record<string, string>[] = [];
  const manager = {
    action: (name: string, args: Record<string, string>) => {
      (name === 'Getvar' ? asked : done).push({ action: name, ...args });
      const value = args['Variable'] === 'SHARED(STAR64_ROOMS)' ? rooms : 'PJSIP/t-5002-2';
      return Promise.resolve({ headers: new Map([['value', value]]) });
    },
  } as unknown as ManagerActions;
  const conferences = new Conferences(manager, pino({ enabled: false }), () => leading);
  const take = (name: string, headers: Record<string, string>): void =>
    conferences.take({ name, headers: new Map(Object.entries(headers)) } as unknown as AmiMessage);
  // The agent, a customer, and what has asked.
  for (const uniqueid of ['n.0', 'n.1', 'n.2']) take('BridgeEnter', { uniqueid, bridgeuniqueid: 'b' });
  take('AttendedTransfer', {
    desttype: 'Threeway',
    origtransfererchannel: 'PJSIP/t-5001-1',
    transfertargetchannel: target,
    transfertargetuniqueid: 'n.2',
  });
  await until('the phone to be told', () =>
    done.some(({ action }) => action === 'Setvar') && asked.length === (target.endsWith(';1') ? 2 : 1)
      ? true
      : undefined,
  );
  await new Promise(setImmediate);
  if (gone) take('Hangup', { uniqueid: 'n.2' });
  if (alone) take('Hangup', { uniqueid: 'n.1' });
  // All answers are there: what follows them has been asked by the next turn.
  await new Promise(setImmediate);
  return done.filter(({ action }) => action !== 'Setvar');
}

await t.test('a room that has become part of a conference is entered once more, and no other', async (t) => {
  const room = 'Local/801@t-transfers-2;2';
  const again = { Context: 'star64-room', Exten: 's', Priority: 'again' };
  t.same(await begun('Local/801@t-transfers-2;1', `${room}&Local/802@t-transfers-1;2&`), [
    { action: 'Redirect', Channel: room, ...again },
  ]);
  t.same(
    await begun('Local/801@t-transfers-2;1', `${room}&`, { leading: false }),
    [],
    'a server that does not lead',
  );
  t.same(await begun('Local/6000@t-transfers-3;1', `${room}&`), [], 'a queue');
  t.same(await begun('PJSIP/t-5002-2', `${room}&`), [], 'a colleague');
  const target = 'Local/801@t-transfers-2;1';
  const twice = [room, room].map((Channel) => ({ action: 'Redirect', Channel, ...again }));
  t.same(await begun(target, `${room}&`, { alone: true }), twice, 'again, when all but one have left');
  t.same(
    await begun(target, `${room}&`, { alone: true, gone: true }),
    twice.slice(1),
    'but no room that has',
  );
  t.same(await begun(target, '', { alone: true }), [], 'nor a colleague');
});
