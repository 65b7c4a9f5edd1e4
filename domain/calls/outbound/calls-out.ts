/** A call to the outside as it was decided, let out or refused: what is recorded of it at its beginning. */
export interface CallOut {
  /** Asterisk's uniqueid of the channel that asks: that of the phone, or of who is sent on to a number outside. */
  uniqueid: string;
  team: string;
  /** As it was dialled, without the outside prefix. */
  dialled: string;
  /** In its one form; null: it cannot be a number. */
  number: string | null;
  /** national, mobile, international, premium, emergency; null: not known. */
  class: string | null;
  /** Why it is not let out, the word that the dialplan is told; null: it is. */
  refused: string | null;
  /** The extension, by number, that calls out and whose user pays; null: the team. */
  extension: string | null;
  /** The agent, by number, who is signed in there. */
  agent: string | null;
  /** The user group, by name, whose trunk, right or limit decided; null: none. */
  userGroup: string | null;
}

/** Takes calls to the outside down: waits for nothing, and never throws. */
export interface CallsOut {
  add(call: CallOut): void;
}
