/** A SIP device, or a telephone (mobile, landline) under a short number (spec 15). */
export const extensionKinds = ['sip', 'external'] as const;
export type ExtensionKind = (typeof extensionKinds)[number];

/** A phone and the agent who is, or was last, signed in at it. */
export interface Phone {
  team: string;
  extension: string;
  extensionKind: ExtensionKind;
  /** The operator's own endpoint that it is; null: the one that is generated, or none. */
  endpoint: string | null;
  agentId: number;
}

/** What of a phone makes its name in Asterisk. */
export type PhoneName = Pick<Phone, 'team' | 'extension' | 'extensionKind' | 'endpoint'>;

/** The device of an extension, as in the names of its channels: `PJSIP/astercc-5000`, `PJSIP/201`, `Local/7000@astercc-telephones`. */
export const deviceOf = ({ team, extension, extensionKind, endpoint }: PhoneName): string =>
  extensionKind === 'external'
    ? `Local/${extension}@${team}-telephones`
    : `PJSIP/${endpoint ?? `${team}-${extension}`}`;

/** The extension as a queue member. A telephone keeps its two Local channels: its state and wrap-up hang on them. */
export const memberOf = (phone: PhoneName): string =>
  phone.extensionKind === 'external' ? `${deviceOf(phone)}/n` : deviceOf(phone);
