/** What the document says of a schema, as far as a table of fields shows it. */
interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
}
/** Of one route. */
interface Operation {
  summary?: string;
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

/** The prefix of everything that is configured, a section for each noun and no section for each route. */
const provisioning = '/provisioning/';
export const isOfNoun = (path: string): boolean => path.includes(provisioning);

/** The sections of the nouns: their paths, what each does, and a table of their fields. */
export function nounSections(paths: Readonly<Record<string, Record<string, unknown>>>): string[] {
  const found = Object.keys(paths).filter((path) => isOfNoun(path) && !path.endsWith('/{name}'));
  return found.map((all) => {
    const one = paths[`${all}/{name}`] ?? {};
    const routes = { [all]: paths[all] ?? {}, [`${all}/{name}`]: one } as Record<
      string,
      Record<string, Operation>
    >;
    const lines = Object.entries(routes).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { summary = '' }]) =>
          `- \`${method.toUpperCase()} ${path.slice(path.indexOf(provisioning))}\`: ${summary.replace(/^[^:]*: /, '')}`,
      ),
    );
    const patch = (one['patch'] ?? paths[all]?.['patch']) as Operation;
    return [
      `## ${all}`,
      '',
      ...lines,
      '',
      ...table(patch, paths[all]?.['post'] as Operation | undefined),
      '',
    ].join('\n');
  });
}

/** Every field once: when it may be given, and what it is. */
function table(patch: Operation, post: Operation | undefined): string[] {
  const read = bodyOf(patch.responses['200']?.content);
  const set = bodyOf(patch.requestBody?.content);
  const add = bodyOf(post?.requestBody?.content);
  const fields = new Map(
    [read, add, set]
      .flatMap(({ properties = {} }) => Object.entries(properties))
      .filter(([name]) => name !== 'remarks'),
  );
  const rows = [...fields].map(([name, { description }]) => {
    const given = [
      ...(name in (add.properties ?? {}) ? [add.required?.includes(name) ? '**POST**' : 'POST'] : []),
      ...(name in (set.properties ?? {}) ? ['PATCH'] : []),
    ].join(', ');
    const what = (description ?? read.properties?.[name]?.description ?? '').replaceAll('|', '\\|');
    return `| \`${name}\` | ${given} | ${what} |`;
  });
  return ['| field | given to | |', '| --- | --- | --- |', ...rows];
}

const bodyOf = (content: Record<string, { schema: Schema }> | undefined): Schema =>
  Object.values(content ?? {})[0]?.schema ?? {};
