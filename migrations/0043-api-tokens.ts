/** Tokens by which programs use the HTTP API of a team. */
export const up = `
create table api_tokens (
  id integer generated always as identity primary key,
  team_id integer not null references teams on delete cascade,
  name text not null constraint api_tokens_name_form check (name ~ '^[a-z][a-z0-9_]{1,31}$'),
  role text not null constraint api_tokens_role_known check (role in ('reader', 'supervisor')),
  hash text not null constraint api_tokens_hash_key unique constraint api_tokens_hash_form check (hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default clock_timestamp(),
  created_by text not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create unique index api_tokens_name_key on api_tokens (team_id, name) where revoked_at is null;
create index api_tokens_team_idx on api_tokens (team_id);
comment on table api_tokens is 'Tokens by which programs use the HTTP API of a team, also those that were revoked.';
comment on column api_tokens.role is 'reader: sees the team; supervisor: also does with agents and calls what star64 agent and star64 call do.';
comment on column api_tokens.hash is 'SHA-256 of the token, which nobody keeps: it has 256 random bits, so that a fast hash is enough.';
comment on column api_tokens.last_used_at is 'To a minute.';
`;
