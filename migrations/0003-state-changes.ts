/** What happened in a team in a stretch of time is found without reading all that ever happened. */
export const up = `
create index agent_states_team_started_idx on agent_states (team_id, started_at);
create index sign_ins_team_signed_out_idx on sign_ins (team_id, signed_out_at) where signed_out_at is not null;
`;
