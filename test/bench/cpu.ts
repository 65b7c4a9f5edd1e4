import { readFileSync } from 'node:fs';

/** USER_HZ, in which /proc counts; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/**
 * CPU seconds that a process has used, with those of its children that have ended; 0 when it is gone. Such an end
 * adds its time to the parent's, so the sum over a family is never less than before.
 */
export function cpuSecondsOf(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return 0;
  }
  // After the command in parentheses: fields 3 and on; utime, stime, cutime and cstime are 14 to 17 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / ticksPerSecond;
}

/** CPU seconds of several processes. */
export function cpuSecondsOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}
