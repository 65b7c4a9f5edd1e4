import createClient from 'asterisk-manager';
import { type AmiMessage, firstText, toMessage, toRecord } from './message.js';
import type { Wire, WireEvents } from './session.js';
import type { ManagerSettings } from './settings.js';

function report(error: unknown): string {
  return error instanceof Error ? error.message || error.name : 'Asterisk closed the connection';
}

/**
 * A fresh asterisk-manager for one connection. The library opens the socket, cuts the bytes that arrive into messages
 * (`rawevent`), writes every action, and holds actions back until its login has succeeded. Three of its parts are
 * replaced: its dispatcher, which emitted whatever name Asterisk sent (an event called `Close` reached the listeners of
 * the socket, one called `RawEvent` ran for ever), so answers find their callback by ActionID here; the headers of its
 * login, which asked for `Event: off` where Asterisk reads `Events`; its reconnecting, which is `Manager`'s.
 */
export function openWire({ host, port }: ManagerSettings, prefix: string, events: WireEvents): Wire {
  const client = createClient();
  const controller = new AbortController();
  let failure: unknown;
  client.removeAllListeners('rawevent');
  client.on('rawevent', (item) => {
    if (controller.signal.aborted || typeof item !== 'object' || item === null) return;
    events.heard();
    const id = firstText(item, 'actionid');
    const ours = id?.startsWith(prefix) === true;
    const response = firstText(item, 'response');
    const name = firstText(item, 'event');
    if (name !== undefined) {
      events.event({ name, id, ours, read: () => toMessage(item, name) });
    } else if (response !== undefined && ours) {
      const message = toMessage(item, response);
      // Its callback for this id; an error as the first argument tells its login that it was refused.
      client.emit(id, response.toLowerCase() === 'error' ? message : undefined, message);
    } else if (Object.keys(item).length > 0) {
      events.stray();
    }
  });
  client.on('error', (error) => (failure = error));
  client.on('close', () => {
    if (!controller.signal.aborted) events.closed(report(failure));
  });
  client.connect({ host, port, signal: controller.signal }, undefined, () => events.connected());
  return {
    send: (headers, answered) => {
      client.action(toRecord(headers), (_refused, response) => answered(response as AmiMessage));
    },
    login: (headers, answered) => {
      // Its login composes headers and hands them to `action`: ours are sent instead of them.
      const write = client.action;
      client.action = (_theirs, callback) =>
        write({ ...toRecord(headers), action: 'login' }, (refused, response) => {
          callback(refused, response);
          answered(response as AmiMessage);
        });
      // Only its own login lets it note the success, without which it holds every later action back for ever.
      client.login(() => undefined);
      client.action = write;
    },
    forget: (id) => void client.removeAllListeners(id),
    destroy: () => controller.abort(),
  };
}
