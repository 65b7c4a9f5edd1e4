import { setTimeout as sleep } from 'node:timers/promises';
import type { LabAsterisk } from '../../../lab/asterisk.js';

/** How far back the log is told, in seconds. */
const seconds = 40;

/**
 * What Asterisk knows of a caller who hears nothing, in this moment: who is in it with them, what is sent to each (twice, so that
 * it is seen whether that goes on), the bridges, and what its log says of them since a while before.
 */
export async function aroundCaller(asterisk: LabAsterisk, number: string): Promise<string> {
  const channels = (await asterisk.console('core show channels concise'))
    .split('\n')
    .map((line) => line.split('!'))
    .filter((fields) => fields.length > 10)
    .map((fields) => ({ name: fields[0] ?? '', number: fields[7] ?? '', bridge: fields.at(-2) ?? '' }));
  const own = channels.filter((one) => one.number === number).map(({ name }) => name);
  const involved = new Set(own);
  // Whoever is in one bridge with them, and the other halves of these, and so on.
  for (let known = -1; known < involved.size;) {
    known = involved.size;
    const bridges = new Set(
      channels.flatMap(({ name, bridge }) => (involved.has(name) && bridge ? [bridge] : [])),
    );
    const halves = new Set([...involved].map((name) => name.replace(/;[12]$/, '')));
    for (const { name, bridge } of channels)
      if (bridges.has(bridge) || halves.has(name.replace(/;[12]$/, ''))) involved.add(name);
  }
  const parts = [`${new Date().toISOString()}: ${number} is ${own.join(' ')}`];
  const ask = async (command: string): Promise<void> => {
    parts.push(command, await asterisk.console(command));
  };
  await ask('pjsip show channelstats');
  for (const name of involved) await ask(`core show channel ${name}`);
  await ask('core show channels verbose');
  await ask('bridge show all');
  await sleep(1000);
  await ask('pjsip show channelstats');

  const from = Date.now() - seconds * 1000;
  const lines = (await asterisk.verbose.lines()).filter((line) => {
    const [, day, time] = /^\[([-0-9]+) ([0-9:.]+)\]/.exec(line) ?? [];
    return day !== undefined && new Date(`${day}T${time ?? ''}`).getTime() >= from;
  });
  // Whom the caller had to do with before.
  for (const line of lines)
    if (own.some((name) => line.includes(name)))
      for (const [name] of line.matchAll(/(?:PJSIP|Local)\/[A-Za-z0-9@_.+*-]+-[0-9a-f]{8}/g))
        involved.add(name);
  parts.push(...lines.filter((line) => [...involved].some((name) => line.includes(name))));
  return parts.join('\n');
}
