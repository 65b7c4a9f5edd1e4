/** What the server is asked, and told, and the one stream of events of a page. */

/** A refusal: of the server, by its problem document, or of the network (status 0). */
export class Problem extends Error {
  constructor(status, code, detail, { facts, retryAfter } = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.facts = facts ?? {};
    this.retryAfter = retryAfter;
  }
}

/** Of a board whose token came with its address: it is sent with each request, and kept as long as the tab. */
let token = sessionStorage.getItem('star64-token') ?? undefined;
export function useToken(given) {
  token = given;
  if (given === undefined) sessionStorage.removeItem('star64-token');
  else sessionStorage.setItem('star64-token', given);
}

const headers = (more) => ({ ...(token !== undefined && { authorization: `Bearer ${token}` }), ...more });

async function send(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (cause) {
    throw options.signal?.aborted ? cause : new Problem(0, 'unreachable', String(cause));
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, problem.code ?? 'failure', problem.detail ?? answer.statusText, {
    facts: problem.facts,
    retryAfter: Number(answer.headers.get('retry-after')) || undefined,
  });
}

/** @throws Problem */
export async function ask(method, path, body) {
  try {
    const answer = await send(`/v1/${path}`, {
      method,
      headers: headers({ ...(body !== undefined && { 'content-type': 'application/json' }) }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    return answer.status === 204 ? undefined : await answer.json();
  } catch (cause) {
    // Also of a connection that breaks in the middle of the answer.
    throw cause instanceof Problem ? cause : new Problem(0, 'unreachable', String(cause));
  }
}

/** The server says something each 15 s: a connection that has been silent for longer is none. */
const silentMs = 40_000;

/**
 * Reads a stream of events until it ends. An EventSource does not tell why it was refused, nor that nothing comes any more;
 * so it is read here. Resolves with the cursor of the last event, behind which the next stream begins.
 *
 * @throws Problem when it was refused.
 */
export async function follow(path, cursor, { hello, away, event }, signal) {
  const silence = new AbortController();
  const stop = () => silence.abort();
  signal.addEventListener('abort', stop);
  let timer = setTimeout(stop, silentMs);
  let last = cursor;
  try {
    const answer = await send(`/v1/${path}`, {
      headers: headers({ accept: 'text/event-stream', ...(last && { 'last-event-id': last }) }),
      signal: silence.signal,
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return last;
      clearTimeout(timer);
      timer = setTimeout(stop, silentMs);
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.replace(/^[^:]*: ?/, '')]),
        );
        if (fields.id) last = fields.id;
        if (fields.event === 'hello' || fields.event === 'back') hello();
        else if (fields.event === 'away') away();
        else if (fields.event) event(fields.event, JSON.parse(fields.data));
      }
    }
  } catch (problem) {
    if (problem instanceof Problem) throw problem;
    return last;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Delays between tries: a second, and longer from time to time, with a part by chance, so that pages do not come all at once. */
export const pause = (tries, problem) =>
  new Promise((resolve) => {
    const seconds = Math.max(problem?.retryAfter ?? 0, Math.min(15, 2 ** Math.min(tries, 4) / 2));
    setTimeout(resolve, seconds * (800 + 400 * Math.random()));
  });

/**
 * Keeps a page live: one stream, and a reading of what is after it has begun and after what it tells; nothing that happens
 * in between can be missed. Nothing is shown as true in any other way.
 *
 * `read` reads and shows; `urgent(type, data)`: what it tells shall be seen at once, other things within a second; `down`:
 * what was shown may be old from here on; `refused`: the login has ended.
 */
export function keepLive(path, { read, urgent, heard = () => undefined, down, refused }) {
  const end = new AbortController();
  let cursor;
  let reading = false;
  let again = false;
  let soon;
  let tries = 0;
  let connection;
  let up = false;

  const refresh = async () => {
    clearTimeout(soon);
    soon = undefined;
    again = reading;
    if (reading || end.signal.aborted || !up) return;
    reading = true;
    try {
      await read(() => !again && up && !end.signal.aborted);
      tries = 0;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      again = false;
      lost(problem);
    } finally {
      reading = false;
      if (again) void refresh();
    }
  };
  const lost = (problem) => {
    up = false;
    if (end.signal.aborted) return;
    if (problem?.status === 401) {
      end.abort();
      refused(problem);
    } else down(problem);
    // Whoever cannot read is not live, though the stream may be.
    connection?.abort();
  };
  void (async () => {
    for (;;) {
      connection = new AbortController();
      end.signal.addEventListener('abort', () => connection.abort(), { once: true });
      let problem;
      try {
        cursor = await follow(
          path,
          cursor,
          {
            hello: () => {
              up = true;
              void refresh();
            },
            away: () => {
              up = false;
              down();
            },
            event: (type, data) => {
              heard(type, data);
              if (urgent(type, data)) void refresh();
              else soon ??= setTimeout(refresh, 1000);
            },
          },
          connection.signal,
        );
      } catch (caught) {
        problem = caught;
        // The events behind the cursor are no longer kept: what is, is read anew anyway.
        if (problem.code === 'cursor_too_old') cursor = undefined;
      }
      if (end.signal.aborted) return;
      if (up || problem) lost(problem);
      if (end.signal.aborted) return;
      await pause(tries++, problem);
    }
  })();
  return { refresh, stop: () => end.abort() };
}
