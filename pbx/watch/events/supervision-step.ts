import { supervisionModes, type SupervisionStep } from '../../../domain/calls/commands/supervision.js';
import type { AmiMessage } from '../../ami/message.js';

/** A Star64Supervision of star64-supervise.conf; undefined for one that says nothing. */
export function supervisionStepIn({ headers }: AmiMessage): SupervisionStep | undefined {
  const whole = (header: string): number | undefined => {
    const text = headers.get(header) ?? '';
    return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
  };
  const told = headers.get('step');
  const step = ([...supervisionModes, 'over'] as const).find((one) => one === told);
  const id = whole('id');
  if (step === undefined || id === undefined) return undefined;
  const [listen = 0, whisper = 0, barge = 0] = ['listen', 'whisper', 'barge'].map(whole);
  return { id, step, listen, whisper, barge };
}
