import { usage } from '../domain/errors.js';
import type { Settings } from './settings.js';

/** Where Asterisk's manager is, and the user that logs in there. @throws `usage` when no setting has its secret. */
export function managerUser({ ami }: Settings): Settings['ami'] & { secret: string } {
  const { secret } = ami;
  if (secret !== undefined) return { ...ami, secret };
  throw usage(
    `no secret for Asterisk's manager: set STAR64_AMI_SECRET, or ami.secret in star64.yml, to the secret of [${ami.username}] in manager.conf.`,
  );
}
