/** What the document says of one route, as far as a page shows it. */
interface Operation {
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, { schema: ObjectSchema }> };
  responses: Record<string, { content?: Record<string, { schema: ObjectSchema }> }>;
}
interface ObjectSchema {
  properties?: Record<string, ObjectSchema & { type?: string | string[] }>;
  required?: string[];
  items?: ObjectSchema;
  anyOf?: ObjectSchema[];
}
/** As `/v1/openapi.json` has it. */
export interface ApiDocument {
  paths?: Record<string, Record<string, unknown>>;
}

const introduction = `# HTTP API

\`star64 web\` serves it (\`web.host\`, \`web.port\`: 127.0.0.1:4564). It shows and commands what the telephone does, by the same
functions, and is a process of its own: whatever is asked of it delays no call. This page is made from the schemas of the
routes; \`GET /v1/openapi.json\` is the same for programs (OpenAPI 3.1).

\`\`\`
star64 token add crm --role supervisor --expires 90d
curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:4564/v1/teams/astercc/agents
\`\`\`

- A token belongs to one team: another team is answered like one that does not exist. \`reader\` sees, \`supervisor\` also does.
  It is told once; \`star64 token remove\` ends it with the next request. It is never taken from the address.
- Names in snake_case, times in ISO 8601. Fields that a request does not know are refused; fields of an answer that you do not
  know may come with a later version.
- A refusal is a problem document (RFC 9457, \`application/problem+json\`). Its \`code\` is that of [errors.md](errors.md), the
  same that the command line knows: usage 422, not found 404, conflict 409, PostgreSQL or Asterisk unreachable 503 with
  \`Retry-After\`, failure 500. Of HTTP alone are \`token_wanted\`, \`token_unknown\` (401), \`role_wanted\` (403), \`no_such_path\`
  (404), \`bad_request\` (400, 413, 415), \`invalid_request\` (422, with the \`errors\` by JSON pointer), \`too_many_requests\`
  (429: 600 a minute of a token, 60 wrong tokens of an address), \`too_many_streams\` (429).
- Pages: \`limit\` and \`cursor\`; the answer has \`items\` and \`next_cursor\`.
- Events are the lines of \`star64 events\`. A stream begins with an event \`hello\`; whoever is cut off comes back with
  \`Last-Event-ID\`, as browsers do by themselves, and misses nothing. Who reads slowly is sent
  what they have missed from the database, as fast as they read, and is cut off after 60 s without reading. A token has at most
  20 open streams, and one that has ended keeps none for longer than about 15 s. Events are kept for some days: a cursor that is
  too old is 404, and you read the state anew. How a team, its agents and groups stand may be a second old.
- A command to a call answers when Asterisk has done it: 409 \`call_command_refused\` says why not, 503 \`no_server\` that no server
  of the node has taken it within 5 s, and then none will; after \`call_command_unknown\` look at the call before you try again.
- \`GET /livez\` (the process answers), \`GET /readyz\` (it can reach its database) and \`GET /v1/openapi.json\` want no token.
`;

/** \`docs/API.md\`, whole. */
export function apiPage(document: ApiDocument): string {
  const parts = [introduction];
  for (const [path, methods] of Object.entries(document.paths ?? {}))
    for (const [method, operation] of Object.entries(methods))
      parts.push(section(`${method.toUpperCase()} ${path}`, operation as Operation));
  return parts.join('\n');
}

function section(title: string, operation: Operation): string {
  const query = (operation.parameters ?? [])
    .filter((one) => one.in === 'query')
    .map(({ name }) => `\`${name}\``);
  const body = fields(Object.values(operation.requestBody?.content ?? {})[0]?.schema);
  const answer = fields(Object.values(operation.responses['200']?.content ?? {})[0]?.schema);
  return [
    `## ${title}`,
    '',
    `${operation.summary ?? ''}.`,
    ...(operation.description === undefined ? [] : ['', operation.description]),
    ...(query.length === 0 ? [] : ['', `Query: ${query.join(', ')}.`]),
    ...(body === '' ? [] : ['', `Body: ${body}.`]),
    ...(answer === '' ? [] : ['', `Answer: ${answer}.`]),
    '',
  ].join('\n');
}

/** The names of an object's fields; those that need not be there in brackets, and those of a list behind it. */
function fields(schema: ObjectSchema | undefined): string {
  const object = schema?.properties ? schema : schema?.anyOf?.find(({ properties }) => properties);
  return Object.entries(object?.properties ?? {})
    .map(([name, { items, properties }]) => {
      const inner = fields(items ?? (properties ? { properties } : undefined));
      const shown = `\`${name}\`${inner === '' ? '' : ` (${inner})`}`;
      return object?.required?.includes(name) === false ? `[${shown}]` : shown;
    })
    .join(', ');
}
