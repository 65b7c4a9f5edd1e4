import { createHash } from 'node:crypto';

/** One call of the phone, by its Call-ID, with what a further request in it needs. */
export interface Dialog {
  callId: string;
  /** `<sip:…>;tag=…` of this phone and of the other side. */
  local: string;
  remote: string;
  /** Where the other side wants requests. */
  target: string;
  cseq: number;
  over: boolean;
}

export interface Message {
  first: string;
  text: string;
}

export const header = ({ text }: Message, name: string): string =>
  new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text)?.[1] ?? '';
export const status = ({ first }: Message): number => Number(/^SIP\/2\.0 (\d+)/.exec(first)?.[1] ?? 0);
export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const tagOf = (party: string): string => /;tag=([^;>]+)/.exec(party)?.[1] ?? '';

/** The other side of a call, to be taken over by whoever is sent there. */
export function referTo({ callId, local, remote, target }: Dialog): string {
  const replaces = encodeURIComponent(`${callId};to-tag=${tagOf(remote)};from-tag=${tagOf(local)}`);
  return `<${target}?Replaces=${replaces}>`;
}
