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
