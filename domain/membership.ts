/** What the phone scripts need of Asterisk's queues: `pbx/` provides it, so that `agi/` need not know how. */
export interface Membership {
  /**
   * Makes the queues agree with the database for one agent. False: Asterisk could not be told now; the
   * reconciliation does it later.
   */
  project(agent: { teamId: number; agentId: number }): Promise<boolean>;
}
