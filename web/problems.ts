import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ErrorKind } from '../domain/error-codes.js';
import { Star64Error } from '../domain/errors.js';
import { snakeCase } from '../domain/json-text.js';

/** A refusal that is of HTTP alone; those of the domain are its errors. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** The `code` of the problem document: public, never renamed. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** RFC 9457, as every refusal reads. `code` is that of docs/errors.md, or one of HTTP alone. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** The request, as the log names it. */
  instance: z.string(),
  code: z.string(),
  facts: z.record(z.string(), z.unknown()).optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
type Problem = z.infer<typeof problemSchema>;

const statuses: Readonly<Record<ErrorKind, number>> = {
  usage: 422,
  not_found: 404,
  conflict: 409,
  database_unreachable: 503,
  asterisk_unreachable: 503,
  failure: 500,
  interrupted: 500,
};

/** Of a code that HTTP has a status of its own for; some conflicts are a matter of rights. */
const statusOf = ({ code, kind }: Star64Error): number =>
  ({
    version_changed: 412,
    cursor_too_old: 410,
    operators_own: 403,
    call_not_allowed: 403,
    not_administrator: 403,
  })[code] ?? statuses[kind];

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Seconds after which somebody who was told 503 may try again. */
const retryAfterSeconds = 5;

/** Has every error answered as a problem document, without what only the log may know. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, request);
    if (problem.status >= 500) request.log.error({ err: error }, 'a request failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, problemOf(new Refusal(404, 'no_such_path', 'there is nothing at this path'), request)),
  );
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) reply.header('retry-after', retryAfterSeconds);
  return (
    reply
      .code(problem.status)
      .type('application/problem+json')
      // The schema of the route is that of what succeeds.
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problem)
  );
}

function problemOf(error: FastifyError | Refusal | Star64Error, { id }: FastifyRequest): Problem {
  const problem = (status: number, code: string, detail: string, more: Partial<Problem> = {}): Problem => ({
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    detail,
    instance: id,
    code,
    ...more,
  });
  if (error instanceof Star64Error) {
    const { facts } = error.details;
    return problem(statusOf(error), error.code, error.message, {
      ...(facts && { facts: snakeCase(facts) as Record<string, unknown> }),
    });
  }
  if (error instanceof Refusal) return problem(error.status, error.code, error.message);
  if (hasZodFastifySchemaValidationErrors(error))
    return problem(422, 'invalid_request', 'the request has fields that are not as they must be', {
      errors: error.validation.map(({ instancePath, message }) => ({
        pointer: `#${instancePath}`,
        detail: message ?? 'not allowed',
      })),
    });
  const { statusCode: status } = error;
  // Of Fastify itself: a body that is no JSON, too large, of another type.
  if (status !== undefined && status >= 400 && status < 500)
    return problem(status, status === 429 ? 'too_many_requests' : 'bad_request', error.message);
  return problem(500, 'failure', 'something went wrong; the log of star64 web says what, by the instance');
}
