import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { packageRoot } from '../domain/machine/package-root.js';

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** The addresses of the pages, and of what they are made of; nothing else of the folder is served. */
const files: Readonly<Record<string, string>> = {
  '/agent': 'agent.html',
  '/board': 'board.html',
  ...Object.fromEntries(
    [
      'agent.js',
      'agent-view.js',
      'popups.js',
      'directory.js',
      'board.js',
      'api.js',
      'clock.js',
      'dom.js',
      'words.js',
      'style.css',
      'board.css',
      'icon.svg',
    ].map((name) => [`/pages/${name}`, name]),
  ),
};

/**
 * A page loads what this server has, and nothing else: a name or a number that somebody sends can never become a script of
 * it, and no other page can frame it or be sent its forms.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  // Asked for again with each visit: a new version of the server is a new page.
  'cache-control': 'no-cache',
};

/** The agent's page and the board: plain files, as they are in `web/pages/`, open to everybody. */
export async function servePages(app: FastifyInstance): Promise<void> {
  const folder = new URL('web/pages/', packageRoot);
  for (const [url, name] of Object.entries(files)) {
    const content = await readFile(new URL(name, folder), 'utf8');
    const type = types[name.slice(name.lastIndexOf('.') + 1) as keyof typeof types];
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    // A page is a dozen files, and a proxy may stand for hundreds of agents: nobody is told to wait for it.
    app.get(url, { config: { rateLimit: false }, schema: { hide: true } }, (request, reply) => {
      reply.headers({ ...headers, etag });
      return knows(request.headers['if-none-match'], etag)
        ? reply.code(304).send()
        : reply.type(type).send(content);
    });
  }
}

/** Whether a browser has it as it is now (RFC 9110, 13.1.2). */
const knows = (given: string | undefined, etag: string): boolean =>
  given?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false;
