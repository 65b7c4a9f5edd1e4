import type { LabAsterisk } from '../../lab/asterisk.js';

/** What Asterisk has told of the tries of calls since a place of its log: `<trunk> <outcome> <code>` of each, in order. */
export async function triesIn(asterisk: LabAsterisk, from: number): Promise<string[]> {
  return (await toldIn(asterisk, 'Star64Try', from)).map(
    ({ Trunk, Outcome, Code }) => `${Trunk ?? ''} ${Outcome ?? ''}${Code ? ` ${Code}` : ''}`,
  );
}

/** The user events of a name since a place of Asterisk's log, each with its headers. */
export async function toldIn(
  asterisk: LabAsterisk,
  name: string,
  from: number,
): Promise<Record<string, string>[]> {
  const lines = (await asterisk.verbose.lines()).slice(from);
  return lines.flatMap((line) => {
    const body = new RegExp(`UserEvent\\("[^"]+", "${name},(.*)"\\) in new stack`).exec(line)?.[1];
    if (body === undefined) return [];
    return [
      Object.fromEntries(
        body.split(',').map((field): [string, string] => {
          const [key = '', ...value] = field.split(': ');
          return [key, value.join(': ').trim()];
        }),
      ),
    ];
  });
}
