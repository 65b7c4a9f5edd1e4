import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';
import { Refusal } from '../problems.js';

/**
 * `/metrics`, outside `/v1`: it is of all teams, so no team's token opens it, but `token` does. An address opens it to nobody:
 * a proxy on this machine may ask for others, and need not say so.
 */
export const metricsRoutes =
  (metrics: Metrics, token: string): FastifyPluginCallback =>
  (app, _options, done) => {
    app.get('/metrics', { config: { rateLimit: false }, schema: { hide: true } }, async (request, reply) => {
      if (!sends(request, token))
        throw new Refusal(401, 'token_wanted', 'send web.metrics_token as `Authorization: Bearer …`');
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text());
    });
    done();
  };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const sends = ({ headers }: FastifyRequest, token: string): boolean =>
  timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`));
