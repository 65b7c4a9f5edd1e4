import { pino } from 'pino';
import type { Centre } from '../../../lab/centre.js';
import type { Phone } from '../../../lab/phone.js';
import { until } from '../../../domain/machine/processes.js';
import { Manager } from '../../../pbx/ami/manager.js';

/** A trunk as an operator has it in his own pjsip.conf. */
export function trunkSection(endpoint: string, address: string, port: number): string {
  return `[${endpoint}]
type = endpoint
transport = lab-udp
context = star64-inbound
disallow = all
allow = ulaw
direct_media = no
aors = ${endpoint}
[${endpoint}]
type = aor
contact = sip:${address}:${port}
[${endpoint}]
type = identify
endpoint = ${endpoint}
match = ${address}
`;
}

/** Calls in from a telephone; hears the prompts in this order, and keys what is given after one. */
export async function callIn(
  { asterisk }: Centre,
  phone: Phone,
  endpoint: string,
  to: string,
  ...steps: [prompt: string, keys?: string][]
): Promise<void> {
  let from = await asterisk.verbose.mark();
  await phone.dial(to);
  await phone.established();
  for (const [prompt, keys] of steps) {
    from = await asterisk.waitPlayed(endpoint, prompt, from);
    if (keys !== undefined) await phone.digits(keys);
  }
  await phone.closed();
}

/** Watches one ending; the function returned says in which order the agent was paused and his telephone let go. */
export async function endings({ asterisk }: Centre): Promise<() => Promise<string[]>> {
  const events = ['QueueMemberPause', 'Hangup'];
  const manager = new Manager(
    { ...asterisk.ami, events, eventClasses: ['agent', 'call'] },
    pino({ enabled: false }),
  );
  const seen: string[] = [];
  manager.on('event', ({ name, headers }) => {
    if (name === 'QueueMemberPause' && headers.get('paused') === '1') seen.push('paused');
    // With either half of the Local channel gone the device counts as free.
    if (name === 'Hangup' && headers.get('channel')?.startsWith('Local/7000@astercc-telephones'))
      seen.push('free');
  });
  manager.start();
  await manager.whenUp(30_000);
  return async () => {
    await until('both halves to end', () =>
      seen.filter((word) => word === 'free').length === 2 ? true : undefined,
    );
    await manager.stop();
    return [...new Set(seen)];
  };
}
