import { allowedFailures } from '../domain/provisioning/people/login-lock.js';
import type { RouteRights } from './api-document.js';
import { isOfNoun, nounSections } from './api-page-nouns.js';

/** What the document says of one route, as far as a page shows it. */
interface Operation extends RouteRights {
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface Schema {
  description?: string;
  enum?: (string | null)[];
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
}
type Side = 'given' | 'told';
/** As `/v1/openapi.json` has it. */
export interface ApiDocument {
  paths?: Record<string, Record<string, unknown>>;
}

const introduction = `# HTTP API

\`star64 web\` serves it (\`web.host\`, \`web.port\`: 127.0.0.1:4564). It shows and commands what the telephone does, by the same
functions, and is a process of its own: whatever is asked of it delays no call. This page is made from the schemas of the
routes; \`GET /v1/openapi.json\` is the same for programs (OpenAPI 3.1).

\`\`\`
TOKEN=$(star64 --json token add crm --role supervisor --expires 90d | jq -r .token)
curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:4564/v1/teams/astercc/agents
curl -N -H "Authorization: Bearer $TOKEN" -H 'Accept: text/event-stream' http://127.0.0.1:4564/v1/teams/astercc/events
\`\`\`

The last one goes on; an event of it reads so ([events.md](events.md) has every type and its fields):

\`\`\`
id: 1-8842-17
event: agent.state
data: {"id":"state-31","at":"2026-11-26T08:00:00.000Z","team":"astercc","agent":"1001","name":"Anna","extension":"5001","state":"idle","previous_state":"signed-out","previous_since":null,"reason":null,"until":null,"group":null,"call":null,"caller":null,"call_kind":null,"by":"1795674577.36","cursor":"1-8842-17","type":"agent.state"}
\`\`\`

Of each route this page says who may use it, its query, its body and its answer. What is in brackets may be left out of a query or body,
and may be missing in an answer. The fields of a list or object stand in parentheses behind its name.

- A token belongs to one team: another team is answered like one that does not exist. \`reader\` sees, \`supervisor\` also does,
  \`administrator\` also provisions; with \`--group support,sales\` it sees and does only what belongs to these agent groups.
  It is told once; \`star64 token remove\` ends it with the next request. It is never taken from the address.
- People log in with a password, which \`star64 agent set 1001 --password-stdin\` and \`star64 user set anna --password-stdin\` set:
  \`POST /v1/tokens\` with \`{team, agent, password}\` or \`{team, username, password}\`. No telephone asks for it. An agent reaches
  themselves, the calls that they have or had, and how the groups stand that they are in; a user who administers groups is
  supervisor of these, the administrator of the team is administrator. Rights are looked up with each request: what is taken away
  opens nothing from then on. What is not theirs is answered like what there is not. A login lasts 12 h after it was used last, and
  ends with \`DELETE /v1/tokens/current\` and with another password.
- Wrong passwords lock for a minute, and twice as long with each further one, an hour at most:

  | what is locked | after so many wrong passwords |
  | --- | --- |
  | one account, for one address | ${allowedFailures.accountFromAddress} at this account from there |
  | one address, for every account | ${allowedFailures.address} from there, at whatever accounts |
  | one IPv6 network of 48 bits, for every account | ${allowedFailures.site} from there, at whatever accounts |
  | one account, for every address | ${allowedFailures.account} at it, from wherever |

  An address is one of IPv4, or a network of 64 bits of IPv6. The last three keep nobody out where the account was logged in to during
  the last 14 days. After a day without a wrong one counting begins anew. A right password takes back only the wrong ones of its own
  account; a new password unlocks it. Whether there is such an account is not said. A lock here is none at a telephone, nor the reverse.
  Behind a proxy set \`web.trust_proxy\`, or everybody has one address.
- A page logs in with \`cookie: true\`: the token comes as a cookie (\`HttpOnly\`, \`SameSite=Strict\`, \`Secure\` but on plain HTTP of
  the same machine), and what writes is then refused unless it comes from a page of this address (\`Sec-Fetch-Site: same-origin\`, or
  \`Origin\` equal to \`Host\`). From other machines a page needs HTTPS, or browsers keep no cookie.
- Pages of other origins: browsers let them use \`/v1\` if \`web.cors_origins\` in the settings of \`star64 web\` names their origin
  (CORS; off by default). They send their token in \`Authorization\`: \`credentials: 'include'\` is never allowed, and a cookie logs
  no other origin in. What a browser asks before it sends something (\`OPTIONS\`) wants no token, counts as no request, and is
  kept for 10 minutes. They can read \`ETag\`, \`Location\`, \`Idempotent-Replayed\`, \`Retry-After\` and \`RateLimit-*\`. A
  stream of events they read with \`fetch\`, since \`EventSource\` cannot send a token, and come back with \`Last-Event-ID\`
  themselves. Give each page a token that may no more than it has to: who uses the page can read it.
- An agent who signs in without a telephone: fixed ones are at their phone; an adaptive one names an \`extension\`; a dynamic one
  names it too, or, with their own login, is signed in at the one phone of their user that has registered from the address of the
  request. The token of a program or supervisor always names the \`extension\`. None or several: 422
  \`phone_wanted\`, with \`candidates\` at that address and free \`phones\` among its \`facts\`. An agent's own token signs in at
  phones of their user alone: at another one (422 \`phone_wanted\`, the \`candidates\` are their free phones) they dial *64 there.
- Names in snake_case, times in ISO 8601. Fields that a request does not know are refused; fields of an answer that you do not
  know may come with a later version.
- A refusal is a problem document (RFC 9457, \`application/problem+json\`). Its \`code\` is that of [errors.md](errors.md), the
  same that the command line knows: usage 422, not found 404, conflict 409, PostgreSQL or Asterisk unreachable 503 with
  \`Retry-After\`, failure 500. Of HTTP alone are \`token_wanted\`, \`token_unknown\` (401), \`wrong_credentials\` (401), \`role_wanted\`, \`cross_site\` (403), \`no_such_path\`
  (404), \`bad_request\` (400, 413, 415), \`invalid_request\` (422, with the \`errors\` by JSON pointer), \`too_many_requests\`
  (429: 600 a minute of a token, 60 wrong tokens of an address), \`too_many_streams\`, \`locked\`
  (429, with \`Retry-After\`), \`busy\` (503).
- Pages: \`limit\` and \`cursor\`; the answer has \`items\` and \`next_cursor\`.
- What is configured (\`…/provisioning/…\`) is for administrators of the team: the nouns of the command line by the same functions.
  \`ETag\` and \`If-Match\` (412 \`version_changed\`), \`Idempotency-Key\`, and what is the operator's:
  [provisioning-by-api.md](provisioning-by-api.md). Bold is what an addition cannot do without.
- Events are the lines of \`star64 events\`: [events.md](events.md). Tell them apart by \`cursor\`, which is also the \`id:\` of the
  stream; the field \`id\` names the thing, and several events of one call have the same. A stream begins with an event \`hello\`; whoever is cut off comes back with
  \`Last-Event-ID\`, as browsers do by themselves, and misses nothing. \`away\` says that the database cannot be read, so
  that nothing is told for a while, \`back\` that it can again; neither is an event, and nothing is left out. Who reads slowly is sent
  what they have missed from the database, as fast as they read, and is cut off after 60 s without reading. A token has at most
  20 open streams, and one that has ended keeps none for longer than about 15 s. Events are kept for some days: a cursor that is
  too old is 410 \`cursor_too_old\`, and you read the state anew. How a team, its agents and groups stand may be a second old.
- A command to a call answers when Asterisk has done it: 409 \`call_command_refused\` says why not, 503 \`no_server\` that no server
  of the node has taken it within 5 s, and then none will; after \`call_command_unknown\` look at the call before you try again.
- \`GET /livez\` (the process answers), \`GET /readyz\` (it can reach its database) and \`GET /v1/openapi.json\` want no token.
`;

/** \`docs/API.md\`, whole. */
export function apiPage(document: ApiDocument): string {
  const parts = [introduction];
  const paths = document.paths ?? {};
  for (const [path, methods] of Object.entries(paths).filter(([path]) => !isOfNoun(path)))
    for (const [method, operation] of Object.entries(methods))
      parts.push(section(`${method.toUpperCase()} ${path}`, operation as Operation));
  return [...parts, ...nounSections(paths)].join('\n');
}

function section(title: string, operation: Operation): string {
  const { summary = '', description, parameters = [], requestBody, responses } = operation;
  const query = parameters
    .filter((one) => one.in === 'query')
    .map(({ name, required, schema = {}, ...one }) =>
      fieldOf(name, { ...schema, ...one }, required === true, 'given'),
    );
  const body = fields(Object.values(requestBody?.content ?? {})[0]?.schema, 'given');
  const succeeds = responses['200'] ?? responses['201'] ?? responses['202'];
  const answer = fields(Object.values(succeeds?.content ?? {})[0]?.schema, 'told');
  return [
    `## ${title}`,
    '',
    `${summary}.`,
    ...(description === undefined ? [] : ['', description]),
    '',
    `Role: ${roleOf(operation)}.`,
    ...(query.length === 0 ? [] : ['', `Query: ${query.join(', ')}.`]),
    ...(body === '' ? [] : ['', `Body${requestBody?.required === false ? ', or none' : ''}: ${body}.`]),
    ...(answer === '' ? [] : ['', `Answer: ${answer}.`]),
    '',
  ].join('\n');
}

function roleOf({ 'x-role': role, 'x-agents': agents }: Operation): string {
  if (role === undefined) return 'none; no token is wanted';
  return `\`${role}\`${agents ? ', or the login of an agent for what is theirs' : ''}`;
}

/**
 * The names of an object's fields, or of each object that it may be; those that need not be there in brackets, and those of a
 * list or object behind it. Of what is `given` also the words or the form that it has.
 */
function fields(schema: Schema | undefined, side: Side): string {
  return [schema, ...(schema?.anyOf ?? [])]
    .filter((one) => one?.properties !== undefined)
    .map((object) =>
      Object.entries(object?.properties ?? {})
        .map(([name, one]) => fieldOf(name, one, object?.required?.includes(name) === true, side))
        .join(', '),
    )
    .join('; or ');
}

function fieldOf(name: string, schema: Schema, required: boolean, side: Side): string {
  const inner = fields(schema.items ?? schema, side) || (side === 'given' ? formOf(schema) : '');
  const shown = `\`${name}\`${inner === '' ? '' : ` (${inner})`}`;
  return required ? shown : `[${shown}]`;
}

function formOf({ enum: words, format, description }: Schema): string {
  if (words && words.length <= 10) return words.map((word) => `\`${word}\``).join(', ');
  return format === 'date-time' ? 'ISO 8601 with a time zone' : (description ?? '');
}
