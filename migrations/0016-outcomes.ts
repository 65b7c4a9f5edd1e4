/** An outcome says what was seen, also of calls to an extension; what nobody saw has a word of its own. */
export const up = `
alter table calls drop constraint calls_outcome_known;
alter table queue_visits drop constraint queue_visits_outcome_known;
update calls set outcome = 'unknown' where outcome = 'lost' or outcome is null and ended_at is not null;
update queue_visits set outcome = 'unknown' where outcome = 'lost' or outcome is null and left_at is not null;
alter table calls add constraint calls_outcome_known check (outcome in (
  'answered', 'abandoned', 'busy', 'no-answer', 'refused', 'unreachable', 'unknown'));
alter table queue_visits add constraint queue_visits_outcome_known check (outcome in ('answered', 'abandoned', 'unknown'));
comment on column calls.outcome is
  'What was seen of it: somebody answered; abandoned: the caller hung up before; busy, no-answer, refused, unreachable: '
  'what the extension did; unknown: nobody saw it. Null: it goes on.';
comment on column queue_visits.outcome is
  'answered; abandoned: the caller hung up while waiting; unknown: nobody saw how it left. Null: it goes on.';
`;
