import createClient from 'asterisk-manager';
import { type AmiMessage, firstText, toMessage, toRecord } from './message.js';
import type { Wire, WireEvents } from './session.js';
import type { ManagerSettings } from './settings.js';

function report(error: unknown): string {
  return error instanceof Error ? error.message || error.name : 'Asterisk closed the connection';
}

/**
 * A fresh asterisk-manager for one connection: it makes the socket, cuts what arrives into messages, writes actions
 * and calls back by ActionID. Its own dispatcher is taken out: that would emit whatever name Asterisk sent (an event
 * called `Close` reached the listeners of the socket, one called `RawEvent` ran for ever).
 */
export function openWire(settings: ManagerSettings, prefix: string, events: WireEvents): Wire {
  const { host, port, username, secret } = settings;
  const client = createClient(undefined, host, username, secret, false);
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
      const write = client.action;
      client.action = (_theirs, callback) =>
        write({ ...toRecord(headers), action: 'login' }, (refused, response) => {
          callback(refused, response);
          answered(response as AmiMessage);
        });
      // It notes the success, without which it holds every later action back for ever.
      client.login(() => undefined);
      client.action = write;
    },
    forget: (id) => void client.removeAllListeners(id),
    destroy: () => controller.abort(),
  };
}
