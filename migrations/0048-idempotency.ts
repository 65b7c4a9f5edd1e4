/** Answers to requests that may be repeated, since whoever sent them did not hear what became of them. */
export const up = `
create table idempotency_keys (
  token_id integer not null references api_tokens on delete cascade,
  key_hash text not null constraint idempotency_keys_hash_form check (key_hash ~ '^[0-9a-f]{64}$'),
  request_hash text not null constraint idempotency_keys_request_form check (request_hash ~ '^[0-9a-f]{64}$'),
  status smallint not null,
  answer json not null,
  made_at timestamptz not null default clock_timestamp(),
  primary key (token_id, key_hash)
);
create index idempotency_keys_made_at_idx on idempotency_keys (made_at);
comment on table idempotency_keys is 'What was answered to requests with an Idempotency-Key, for 24 hours: whoever repeats one is told the same, and nothing is done twice.';
comment on column idempotency_keys.key_hash is 'SHA-256 of the key, which stands nowhere else.';
comment on column idempotency_keys.request_hash is 'HMAC-SHA-256 of the request by the key: a PIN in it cannot be found by trying all of them.';
comment on column idempotency_keys.answer is 'Without secrets, which are told once.';
`;
