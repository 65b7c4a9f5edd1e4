import { hash, timingSafeEqual } from 'node:crypto';

/** The form of Asterisk's unique ids: `[<system name>-]<epoch>.<number>`. */
const UNIQUEID = /^[A-Za-z0-9._-]{1,150}$/;

/**
 * The proof that a question comes from our own dialplan: hex SHA1 of `<uniqueid>:<script>:<token>`, in the dialplan
 * `${SHA1(${UNIQUEID}:<script>:${…token…})}`. It is good for one call and one script, so the token itself never stands
 * in Asterisk's verbose log; whoever reads that log may still try tokens against it, hence their length.
 */
export function proofFor(uniqueid: string, script: string, token: string): string {
  return hash('sha1', `${uniqueid}:${script}:${token}`);
}

/** Whether `proof` is the one for this call and script; compared in constant time. */
export function proofHolds(proof: string, uniqueid: string, script: string, token: string): boolean {
  if (!UNIQUEID.test(uniqueid)) return false;
  const given = Buffer.from(proof);
  const right = Buffer.from(proofFor(uniqueid, script, token));
  return given.length === right.length && timingSafeEqual(given, right);
}
