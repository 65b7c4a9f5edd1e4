/** The terms of the load generator and the responders. */

/** A session of the benchmark is this many commands, each SET VARIABLE with an answer such as a routed call gets. */
export const commandsPerSession = 4;
export const variable = 'STAR64_ANSWER';
export const value = 'astercc-groups,support,1';

export const script = 'inbound';
export const uniqueid = '1700000000.1';
export const token = 'benchmark-benchmark-benchmark';

/** The block with which Asterisk 22 begins a session. */
export function environment(port: number, args: readonly string[]): string {
  const lines = {
    agi_network: 'yes',
    agi_network_script: script,
    agi_request: `agi://127.0.0.1:${port}/${script}`,
    agi_channel: 'PJSIP/lab-trunk-00000001',
    agi_language: 'en',
    agi_type: 'PJSIP',
    agi_uniqueid: uniqueid,
    agi_version: '22.10.1',
    agi_callerid: '5551',
    agi_calleridname: 'unknown',
    agi_callingpres: '0',
    agi_callingani2: '0',
    agi_callington: '0',
    agi_callingtns: '0',
    agi_dnid: '600100',
    agi_rdnis: 'unknown',
    agi_context: 'star64-ask',
    agi_extension: 's',
    agi_priority: '7',
    agi_enhanced: '0.0',
    agi_accountcode: '',
    agi_threadid: '140219000000000',
  };
  const text = Object.entries(lines).map(([key, line]) => `${key}: ${line}\n`);
  return [...text, ...args.map((arg, index) => `agi_arg_${index + 1}: ${arg}\n`), '\n'].join('');
}

/** A job for the load generator: sessions at a server, `concurrency` at a time, for a while. */
export interface LoadJob {
  port: number;
  concurrency: number;
  ms: number;
}

export interface LoadResult {
  /** Sessions that ran to their end in the time given. */
  inTime: number;
  /** With those that were under way at its end, and were finished. */
  sessions: number;
  seconds: number;
  /** Sessions that ended otherwise than with every command answered; anything but 0 makes the rest worthless. */
  failed: number;
  /** From the last byte sent to the next command, in milliseconds. */
  p50: number;
  p99: number;
  /** CPU of the load generator itself: near the time that passed, it was the limit. */
  cpuSeconds: number;
}

/** A responder's words: where it listens, then, whenever it is asked, the CPU that it has used. */
export type ResponderMessage = { port: number } | { cpuSeconds: number };

/** CPU that this process has used since it began. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
