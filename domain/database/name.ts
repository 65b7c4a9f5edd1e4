/** Which PostgreSQL a command works on, for messages. Holds no password. */
export interface DatabaseName {
  /** `PostgreSQL at 127.0.0.1:5432/star64` */
  readonly label: string;
  /** Where that was said: a file, a variable of the environment. */
  readonly from: string;
  readonly user: string;
  readonly database: string;
}

/** The name of the PostgreSQL that a URL leads to; what the URL leaves out is what libpq's variables and defaults say. */
export function nameOf(url: string, from: string, env: NodeJS.ProcessEnv): DatabaseName {
  const { hostname, port, pathname, username, searchParams } = new URL(url);
  const host = decodeURIComponent(hostname) || (searchParams.get('host') ?? env['PGHOST'] ?? 'localhost');
  const user =
    decodeURIComponent(username) || (searchParams.get('user') ?? env['PGUSER'] ?? env['USER'] ?? '');
  const database = decodeURIComponent(pathname.slice(1)) || (env['PGDATABASE'] ?? user);
  const at = `${host}:${port || (searchParams.get('port') ?? env['PGPORT'] ?? '5432')}`;
  return { label: `PostgreSQL at ${at}/${database}`, from, user, database };
}

/** The name of star64's own PostgreSQL. */
export const nameOfOwn = (dir: string, from: string): DatabaseName => ({
  label: `the private PostgreSQL in ${dir}`,
  from,
  user: 'star64',
  database: 'star64',
});
