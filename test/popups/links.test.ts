import t from 'tap';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);

await t.test('whatever a caller calls themselves cannot leave its place in the link', async (t) => {
  const template = 'https://h.example.org/a/{caller}/b?x={caller}&y={call}#{caller}';
  const hostile = [
    '..',
    '.',
    '...',
    '%2e%2e',
    '/../x',
    '&y=evil',
    '?z=1',
    '#top',
    '"><script>',
    '{call}',
    "' or 1",
    '//e.org',
    '\\',
    'Jörg',
    '电话',
    '\u{1F4DE}',
    'a b+c',
    '\r\nX: y',
    '9'.repeat(3000),
  ];
  for (const caller of hostile) {
    const { rows } = await db.raw<{ rows: { link: string }[] }>('select filled_link(?, ?::json) as link', [
      template,
      JSON.stringify({ caller, call: 'c.1' }),
    ]);
    const { origin, pathname, searchParams, hash } = new URL(rows[0]?.link ?? '');
    const meant = /^[.]*$/.test(caller) ? '' : caller.slice(0, 100);
    t.same(
      [
        origin,
        pathname.split('/').map(decodeURIComponent),
        [...searchParams],
        decodeURIComponent(hash.slice(1)),
      ],
      [
        'https://h.example.org',
        ['', 'a', meant, 'b'],
        [
          ['x', meant],
          ['y', 'c.1'],
        ],
        meant,
      ],
      caller.slice(0, 20),
    );
  }
});
