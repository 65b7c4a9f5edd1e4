import { createHmac, randomBytes } from 'node:crypto';

/** A new secret of a webhook (Standard Webhooks 1.0): `whsec_` and 32 random bytes in base64. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/**
 * `webhook-signature` of a message: a signature by each secret that counts, with a space between. `timestamp`: seconds
 * since 1970.
 */
export const signatures = (
  secrets: readonly string[],
  { id, timestamp, body }: { id: string; timestamp: number; body: string },
): string =>
  secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
