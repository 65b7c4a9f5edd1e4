/** Trunks that star64 generates, beside those that the operator has in their own pjsip.conf. */
export const up = `
alter table trunks
  add column generated boolean not null default false,
  add column addresses text[] not null default '{}',
  add column transport text constraint trunks_transport_form check (transport ~ '^[A-Za-z0-9_.-]{1,60}$'),
  add column protocol text not null default 'udp' constraint trunks_protocol_known check (protocol in ('udp', 'tcp', 'tls')),
  add column register boolean not null default false,
  add column by_address boolean not null default true,
  add column number_in text not null default 'request'
    constraint trunks_number_in_known check (number_in in ('request', 'to')),
  add column username text constraint trunks_username_form check (username ~ '^[A-Za-z0-9_.+-]{1,64}(@[A-Za-z0-9.-]{1,100})?$'),
  add column secret text constraint trunks_secret_form check (secret ~ '^[!-~]([ -~]{0,126}[!-~])?$'),
  add column from_user text constraint trunks_from_user_form check (from_user ~ '^[A-Za-z0-9_.+-]{1,64}$'),
  add column from_domain text constraint trunks_from_domain_form check (from_domain ~ '^[A-Za-z0-9.-]{1,100}$'),
  add column identity_header text not null default 'none'
    constraint trunks_identity_header_known check (identity_header in ('none', 'pai', 'rpid')),
  add column privacy boolean not null default true,
  add column codecs text not null default 'alaw,ulaw' constraint trunks_codecs_form check (codecs ~ '^[a-z0-9]+(,[a-z0-9]+)*$'),
  add column dtmf text not null default 'rfc4733'
    constraint trunks_dtmf_known check (dtmf in ('rfc4733', 'inband', 'info', 'auto', 'auto_info')),
  add column qualify_seconds integer not null default 30
    constraint trunks_qualify_seconds_range check (qualify_seconds between 0 and 3600),
  add constraint trunks_generated_endpoint
    check (not generated or endpoint ~ '^[a-z][a-z0-9]{1,19}-trunk-[a-z][a-z0-9_-]{0,31}$'),
  add constraint trunks_generated_addresses check (generated = (addresses <> '{}')),
  add constraint trunks_generated_login check (username is null or generated),
  add constraint trunks_login_whole check ((username is null) = (secret is null)),
  add constraint trunks_register_login check (not register or username is not null);
comment on table trunks is
  'A way to the public network: a PJSIP endpoint that the operator has in their own pjsip.conf, or one that star64 generates.';
comment on column trunks.endpoint is
  'The section of the operator''s own pjsip.conf; of a generated one <team>-trunk-<name>, or star64-trunk-<name> for every team.';
comment on column trunks.generated is 'Whether its endpoint is generated; the columns after it are of such a one alone.';
comment on column trunks.addresses is 'Where it is: host, host:port or [IPv6]:port; several of one provider.';
comment on column trunks.transport is 'The section of the operator''s own transport; null: Asterisk chooses.';
comment on column trunks.by_address is 'Whether calls that come from its addresses are its calls.';
comment on column trunks.number_in is 'Where a call that comes in says for which number it is: in the request line, or in To.';
comment on column trunks.username is 'With secret the account at the provider; null: it knows us by our address.';
comment on column trunks.secret is 'In clear, since Asterisk must know it whatever realm the provider has. In no event, log or list.';
comment on column trunks.from_user is 'The account in From, where the provider wants it there instead of the caller''s number.';
comment on column trunks.identity_header is 'In which header the caller''s number is said: P-Asserted-Identity or Remote-Party-ID.';
comment on column trunks.privacy is 'Whether the provider is told a number in it that the caller hides, with the wish to hide it.';
comment on column trunks.qualify_seconds is 'How often it is asked whether it is there; 0: never.';

-- As in 0014, also for a table whose rows have no id, such as user_group_members.
create or replace function note_file_change() returns trigger language plpgsql as $$
declare
  ignored text[] := tg_argv[1]::text[];
begin
  execute format('insert into file_changes (node) select distinct t.node
    from (select (s.content->>''id'')::bigint as id, s.content from (%s) as s) as r %s',
    case tg_op
      when 'INSERT' then 'select to_jsonb(n) as content from new_rows n'
      when 'DELETE' then 'select to_jsonb(o) as content from old_rows o'
      else format('(select to_jsonb(n) - %1$L::text[] as content from new_rows n
          except select to_jsonb(o) - %1$L::text[] from old_rows o)
        union all (select to_jsonb(o) - %1$L::text[] as content from old_rows o
          except select to_jsonb(n) - %1$L::text[] from new_rows n)', ignored)
    end, tg_argv[0]);
  return null;
end $$;
`;
