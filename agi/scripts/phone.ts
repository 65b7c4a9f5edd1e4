/**
 * The extension behind the SIP endpoint that dialled, undefined if the endpoint is not one of the team. A phone is
 * known by its endpoint, which Asterisk has authenticated, never by caller ID.
 */
export function extensionOf(team: string, endpoint: string): string | undefined {
  const [, owner, number] = /^([a-z][a-z0-9]{1,19})-([0-9]{2,10})$/.exec(endpoint) ?? [];
  return owner === team ? number : undefined;
}
