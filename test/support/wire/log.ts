import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabAsterisk } from '../../../lab/asterisk.js';
import { readPcap, type Packet } from './pcap.js';

/** Lets Asterisk log every SIP message; the function returned ends that and returns them, in the order of its socket. */
export async function logWire(asterisk: LabAsterisk, name: string): Promise<() => Promise<Packet[]>> {
  const file = join(asterisk.dir, 'log', `${name}.pcap`);
  await asterisk.console(`pjsip set logger pcap ${file}`);
  await asterisk.console('pjsip set logger verbose off');
  await asterisk.console('pjsip set logger on');
  return async () => {
    // This closes the file.
    await asterisk.console('pjsip set logger off');
    return readPcap(await readFile(file));
  };
}

/** Where each registered phone is: `address:port` to `PJSIP/<endpoint>`. */
export async function phonesOnWire(asterisk: LabAsterisk): Promise<Map<string, string>> {
  // "/registrar/contact/astercc-5001;@0d1f2a : {"uri":"sip:astercc-5001-0x55d0@127.0.0.1:14004", …", in full only here.
  const text = await asterisk.console('database show registrar');
  return new Map(
    [
      ...text.matchAll(/^\/registrar\/contact\/([^;\s]+);@\S+\s*:.*"uri":"sips?:[^"@]*@([0-9.]+:[0-9]+)/gm),
    ].map(([, endpoint = '', place = '']) => [place, `PJSIP/${endpoint}`]),
  );
}
