import { randomBytes } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type RouteOptions,
} from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Database } from '../domain/database/pool.js';
import { describeRoute, withOptionalBodies } from './api-document.js';
import { allowOrigins } from './cors.js';
import { enter, Guesses } from './doors.js';
import { Metrics, type MetricsSettings } from './metrics/metrics.js';
import { EventStreams, eventStreamsDefaults, type EventStreamsSettings } from './event-streams.js';
import { servePages } from './pages.js';
import { answerProblems, Refusal } from './problems.js';
import { agentRoutes } from './routes/agents.js';
import { callRoutes } from './routes/calls.js';
import { clickRoutes } from './routes/clicks.js';
import { eventRoutes } from './routes/events.js';
import { loginRoutes } from './routes/logins.js';
import { metricsRoutes } from './routes/metrics.js';
import { pageRoutes } from './routes/page.js';
import { popupRoutes } from './routes/popups.js';
import { provisioningRoutes } from './routes/provisioning.js';
import { reportRoutes } from './routes/reports.js';
import { webhookRoutes } from './routes/webhooks.js';

export interface WebSettings {
  version: string;
  /** Requests of one token, or of one address without one, in a minute. */
  requestsPerMinute?: number;
  /** Logins of one address in a minute, right or wrong; of everybody behind a proxy that is not believed. */
  loginsPerMinute?: number;
  /** Wrong tokens of one address in a minute. */
  guessesPerMinute?: number;
  /** For how long what was read of a team is told to whoever asks; default: a second. */
  recentMs?: number;
  streams?: EventStreamsSettings;
  /** Addresses or networks of proxies whose X-Forwarded-… is believed; without it nobody's. */
  trustProxy?: string[];
  /** Origins whose pages a browser lets use `/v1`, each as browsers send it; without it none but our own. */
  corsOrigins?: readonly string[];
  /** `token` opens /metrics; without it there is none. */
  metrics?: Partial<MetricsSettings> & { token?: string };
  /** Told of every route as it is declared. */
  onRoute?: (route: RouteOptions) => void;
}

/** Larger bodies are refused: there is nothing to send that is long. */
const bodyLimit = 65_536;

/**
 * The HTTP API, which knows PostgreSQL and the domain alone: a thousand pages or a slow answer delay no question of a call.
 * `docs/API.md` is made from its schemas.
 */
export async function createWeb(db: Database, log: Logger, settings: WebSettings): Promise<FastifyInstance> {
  // Its own type would make every plugin's another one.
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    // Each request in the log would be its token's owner's whole day; what goes wrong is logged.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    requestTimeout: 30_000,
    ...(settings.trustProxy && { trustProxy: settings.trustProxy }),
    // Of no other process either: who did something is kept with it.
    genReqId: () => randomBytes(8).toString('hex'),
    routerOptions: { maxParamLength: 200 },
  });
  app.addHook('onRoute', (route) => {
    refuseUnknownQuery(route);
    settings.onRoute?.(route);
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app);
  app.decorateRequest('principal', undefined);
  if (settings.corsOrigins?.length) await allowOrigins(app, settings.corsOrigins);
  const guesses = new Guesses(settings.guessesPerMinute ?? 60);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    await enter(db, guesses, request, reply);
  });
  if (!settings.trustProxy) app.addHook('onRequest', tellOfProxy(log));
  await app.register(rateLimit, {
    max: settings.requestsPerMinute ?? 600,
    timeWindow: 60_000,
    enableDraftSpec: true,
    hook: 'preHandler',
    keyGenerator: ({ principal, ip }) =>
      principal ? `${principal.team} ${principal.kind} ${principal.name}` : ip,
    errorResponseBuilder: (_request, { after }) =>
      new Refusal(429, 'too_many_requests', `too many requests: try again in ${after}`),
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'star64', version: settings.version },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: describeRoute,
    transformObject: (document) =>
      withOptionalBodies('openapiObject' in document ? document.openapiObject : {}),
  });
  const streams = new EventStreams(db, log, settings.streams ?? eventStreamsDefaults);
  app.addHook('preClose', () => streams.stop());
  await app.register(health(db));
  const { version, metrics = {} } = settings;
  if (metrics.token === undefined)
    log.info('there is no /metrics: web.metrics_token in the settings opens it to whoever sends that token');
  else
    await app.register(
      metricsRoutes(
        new Metrics(db, log, {
          version,
          webhooks: () => new Map(),
          streams: () => streams.figures,
          ...metrics,
        }),
        metrics.token,
      ),
    );
  await app.register(servePages);
  await app.register(
    async (v1) => {
      v1.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
      await v1.register(loginRoutes(db, settings.loginsPerMinute ?? 300));
      await v1.register(agentRoutes(db, settings.recentMs));
      await v1.register(callRoutes(db));
      await v1.register(clickRoutes(db));
      await v1.register(eventRoutes(db, streams));
      await v1.register(pageRoutes(db, settings.recentMs));
      await v1.register(popupRoutes(db));
      await v1.register(reportRoutes(db));
      await v1.register(webhookRoutes(db));
      await v1.register(provisioningRoutes(db));
    },
    { prefix: '/v1' },
  );
  await app.ready();
  return app;
}

/** What a request does not know is refused, also where nothing may be said in the query. */
function refuseUnknownQuery(route: RouteOptions): void {
  if (route.config?.role === undefined || route.schema?.querystring !== undefined) return;
  route.schema = { ...route.schema, querystring: z.strictObject({}) };
}

/** Says once that a proxy on this machine asks for others, who are all taken for one address. */
function tellOfProxy(log: Logger): (request: FastifyRequest) => Promise<void> {
  let told = false;
  return ({ ip, headers }) => {
    if (!told && headers['x-forwarded-for'] !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(ip)) {
      told = true;
      log.warn(
        'requests come through a proxy on this machine, and count as those of one address: web.trust_proxy in the settings has star64 believe which they are from',
      );
    }
    return Promise.resolve();
  };
}

/** `/livez`: the process answers; `/readyz`: it can do its work. */
const health = (db: Database) => async (app: FastifyInstance) => {
  const ok = z.object({ status: z.literal('ok') });
  // A machine that looks whether this one lives must never be told to wait.
  const config = { rateLimit: false } as const;
  app.get('/livez', { config, schema: { hide: true, response: { 200: ok } } }, () => ({ status: 'ok' }));
  app.get('/readyz', { config, schema: { hide: true, response: { 200: ok } } }, async () => {
    const { withDatabaseErrors } = await import('../domain/database/sql-errors.js');
    await withDatabaseErrors(() => db.raw('select 1'));
    return { status: 'ok' };
  });
  await Promise.resolve();
};
