import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';

/** Names this run of the command in what it signs in or out, as `cli:anna:1f0c9a2b`: the user, and this run alone. */
export function operator(): string {
  return `cli:${userName()}:${randomBytes(4).toString('hex')}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user id that has no name here, as in many containers.
    return String(process.getuid?.() ?? 'unknown');
  }
}
