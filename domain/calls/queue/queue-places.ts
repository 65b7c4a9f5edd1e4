/** The places of callers in queues, as Asterisk has them now. */
export interface QueuePlaces {
  /** The place of a call that goes back into a queue in which it has waited; 1: the first. @throws where Asterisk is away. */
  placeOf(team: string, group: string, caller: { call: string; priority: number }): Promise<number>;
}
