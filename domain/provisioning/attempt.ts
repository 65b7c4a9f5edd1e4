/** What a command was about to do, for the message in case the database refuses it. */
export interface Attempt {
  readonly verb: 'add' | 'set' | 'remove';
  readonly kind:
    'team' | 'user' | 'extension' | 'agent' | 'group' | 'did' | 'trunk' | 'feature-code' | 'pause-reason';
  /** Identity of the team; null for what belongs to the system. */
  readonly team: string | null;
  /** Name or number of the thing itself. */
  readonly name: string;
  /** The number that is to be taken, where it is not the name. */
  readonly number?: string | null | undefined;
  /** What a pause reason is to be called. */
  readonly label?: string | undefined;
  /** The extension that a fixed agent is to be tied to. */
  readonly extension?: string | null | undefined;
  /** The telephone number that an extension is to be. */
  readonly telephone?: string | undefined;
  /** The endpoint that a trunk is to be. */
  readonly endpoint?: string | undefined;
}
