import type { RouteOptions } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';

/** What the document says of a route beside its schemas. */
export interface RouteRights {
  /** The least that the holder of a token has to be; without it no token is wanted. */
  'x-role'?: string;
  /** Also open to the login of an agent, for what is theirs. */
  'x-agents'?: true;
}

type Transform = typeof jsonSchemaTransform;

/** A route as the document shows it: its schemas, and who may use it, as `config` of the route says. */
export const describeRoute: Transform = (given) => {
  const { schema, url } = jsonSchemaTransform(given);
  const { config } = (given as unknown as { route: RouteOptions }).route;
  const rights: RouteRights & { security?: [] } =
    config?.role === undefined
      ? { security: [] }
      : { 'x-role': config.role, ...(config.agent === 'own' && { 'x-agents': true }) };
  return { schema: { ...schema, ...rights }, url };
};

interface Operation {
  requestBody?: { required?: boolean; content: Record<string, { schema: { anyOf?: { type?: string }[] } }> };
}

/** A body that may be null may be left out. */
export function withOptionalBodies<T extends { paths?: object }>(document: T): T {
  for (const methods of Object.values(document.paths ?? {}) as Record<string, Operation>[])
    for (const { requestBody } of Object.values(methods)) {
      const schemas = Object.values(requestBody?.content ?? {}).map(({ schema }) => schema);
      if (requestBody && schemas.every(({ anyOf }) => anyOf?.some(({ type }) => type === 'null')))
        requestBody.required = false;
    }
  return document;
}
