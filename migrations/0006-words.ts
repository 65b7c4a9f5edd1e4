/** Words of the field: a telephone outside is `external`, since a "phone" is a SIP set everywhere else. */
export const up = `
alter type extension_kind rename value 'phone' to 'external';
comment on column extensions.telephone_number is
  'What is dialled for kind external, and the caller number by which its agent is known when calling in from there.';
`;
