import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';
import { Refusal } from '../problems.js';

/**
 * `/metrics`, outside `/v1`: it is of all teams, so no team's token opens it. With `token` whoever sends it; without, only
 * who asks from this machine itself: a proxy there asks for others, and is known by what it adds to their requests.
 */
export const metricsRoutes =
  (metrics: Metrics, token: string | undefined): FastifyPluginCallback =>
  (app, _options, done) => {
    app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
      if (!(token === undefined ? isOfThisMachine(request) : sends(request, token)))
        throw token === undefined
          ? new Refusal(
              403,
              'role_wanted',
              'metrics are told to this machine alone: set web.metrics_token to have them told to others',
            )
          : new Refusal(401, 'token_wanted', 'send web.metrics_token as `Authorization: Bearer …`');
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text());
    });
    done();
  };

const proxied = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

const isOfThisMachine = ({ ip, headers }: FastifyRequest): boolean =>
  /^(127\.|::1$|::ffff:127\.)/.test(ip) && proxied.every((name) => headers[name] === undefined);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const sends = ({ headers }: FastifyRequest, token: string): boolean =>
  timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`));
