/** Names by which Asterisk knows what the database knows by team and number. */

/** The device of an extension as a queue member: `PJSIP/astercc-5000`. */
export const deviceOf = (team: string, extension: string): string => `PJSIP/${team}-${extension}`;

/** The queue of an agent group: `astercc-support`. */
export const queueOf = (team: string, group: string): string => `${team}-${group}`;

/** Team and extension behind a member's interface or an endpoint; undefined for a device that is not ours. */
export function phoneOf(device: string): { team: string; extension: string } | undefined {
  const [, team, extension] = /^(?:PJSIP\/)?([a-z][a-z0-9]{1,19})-([0-9]{2,10})$/.exec(device) ?? [];
  return team === undefined || extension === undefined ? undefined : { team, extension };
}

/** The pause of a wrap-up names the offer that it follows, so that no one ends a newer wrap-up for an older one. */
export const wrapUpReason = (token: string): string => `wrapup:${token}`;

/** The offer in the reason of a pause, undefined when the pause is not a wrap-up's. */
export function wrapUpToken(reason: string): string | undefined {
  return /^wrapup:(.+)$/.exec(reason)?.[1];
}

/** The reason of a break's pause: a digit, since what people call their reasons is text of theirs. */
export const pauseReason = (digit: string | null): string => `pause:${digit ?? ''}`;

/** The device state that shows others what the agent at a phone does. */
export const lampVariable = (team: string, extension: string): string =>
  `DEVICE_STATE(Custom:star64-${team}-${extension})`;

/** The dialplan's mark of a phone in wrap-up, by which Asterisk ends it alone when no server is left. */
export const wrapUpMark = (team: string, extension: string): string =>
  `GLOBAL(STAR64_WRAPUP_${team}-${extension})`;

/** Until when (Asterisk's epoch) a server has promised to end wrap-ups. */
export const leaseVariable = 'STAR64_LEASE';
