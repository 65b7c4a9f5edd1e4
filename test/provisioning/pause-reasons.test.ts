import t from 'tap';
import {
  addPauseReason,
  listPauseReasons,
  removePauseReason,
  setPauseReason,
  showPauseReason,
} from '../../domain/provisioning/people/pause-reason.js';
import { addTeam, removeTeam } from '../../domain/provisioning/team.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');

await t.test('a reason has a digit, a name in any language, a limit and an end', async (t) => {
  t.same(await listPauseReasons(db, 'astercc'), [], 'a team has none at first');
  t.same(await addPauseReason(db, 'astercc', { digit: '2', name: '午餐 "Lunch"; ${x}', maxSeconds: 3600 }), {
    team: 'astercc',
    digit: '2',
    name: '午餐 "Lunch"; ${x}',
    maxSeconds: 3600,
    atEnd: 'ready',
  });
  t.match(await addPauseReason(db, 'astercc', { digit: '1', name: 'Training', atEnd: 'sign-out' }), {
    maxSeconds: null,
    atEnd: 'sign-out',
  });
  t.same(
    (await listPauseReasons(db, 'astercc')).map(({ digit }) => digit),
    ['1', '2'],
  );
  t.same(await listPauseReasons(db, 'other'), []);
  t.match(await addPauseReason(db, 'other', { digit: '1', name: 'Training' }), { team: 'other' });
});

await t.test('set changes what is given and nothing else', async (t) => {
  t.match(await setPauseReason(db, 'astercc', '1', { maxSeconds: 60 }), {
    name: 'Training',
    maxSeconds: 60,
    atEnd: 'sign-out',
  });
  t.match(await setPauseReason(db, 'astercc', '1', { name: 'Course', maxSeconds: null, atEnd: 'ready' }), {
    name: 'Course',
    maxSeconds: null,
    atEnd: 'ready',
  });
  t.match(await setPauseReason(db, 'astercc', '1', { name: 'Course' }), { name: 'Course' });
  t.match(await showPauseReason(db, 'other', '1'), { name: 'Training' });
});

await t.test('a digit and a name mean one thing in a team', async (t) => {
  await refused(t, 'conflict', ['digit 1', '"Course"', 'pause-reason set 1'], () =>
    addPauseReason(db, 'astercc', { digit: '1', name: 'Coffee' }),
  );
  await refused(t, 'conflict', ['pause reason "Course"', 'at digit 1', 'digit 3'], () =>
    addPauseReason(db, 'astercc', { digit: '3', name: 'Course' }),
  );
  await refused(t, 'conflict', ['pause reason "Course"', 'at digit 1', 'digit 2'], () =>
    setPauseReason(db, 'astercc', '2', { name: 'Course', maxSeconds: 5 }),
  );
  t.match(await showPauseReason(db, 'astercc', '2'), { maxSeconds: 3600 }, 'nothing half written');
});

await t.test('what cannot be is refused with what to type', async (t) => {
  for (const digit of ['0', '10', '', 'x', '1\n', '*']) {
    await refused(t, 'usage', ['digit of a pause reason "', 'from 1 to 9'], () =>
      addPauseReason(db, 'astercc', { digit, name: 'Coffee' }),
    );
    await refused(t, 'not_found', ['pause reason "', 'star64 pause-reason list'], () =>
      showPauseReason(db, 'astercc', digit),
    );
  }
  for (const name of ['', ' ', 'a\nb', '\u001b[2J', 'x'.repeat(81)]) {
    await refused(t, 'usage', ['name of a pause reason', '"Lunch"'], () =>
      addPauseReason(db, 'astercc', { digit: '3', name }),
    );
    await refused(t, 'usage', ['name of a pause reason', '"Lunch"'], () =>
      setPauseReason(db, 'astercc', '1', { name }),
    );
  }
  for (const maxSeconds of [0, 86_401, 1.5]) {
    await refused(t, 'usage', ['longest pause', '1 to 86400'], () =>
      setPauseReason(db, 'astercc', '1', { maxSeconds }),
    );
  }
  await refused(t, 'usage', ['end of a pause "home"', 'ready, sign-out'], () =>
    setPauseReason(db, 'astercc', '1', { atEnd: 'home' }),
  );
  await refused(t, 'not_found', ['pause reason "3"'], () =>
    setPauseReason(db, 'astercc', '3', { name: 'x' }),
  );
  await refused(t, 'not_found', ['pause reason "3"'], () => removePauseReason(db, 'astercc', '3'));
  t.equal((await listPauseReasons(db, 'astercc')).length, 2);
});

await t.test('a reason goes, alone or with its team', async (t) => {
  await removePauseReason(db, 'astercc', '1');
  t.same(
    (await listPauseReasons(db, 'astercc')).map(({ digit }) => digit),
    ['2'],
  );
  t.match(await addPauseReason(db, 'astercc', { digit: '1', name: 'Course' }), { digit: '1' });
  await removeTeam(db, 'other');
  t.equal((await db('pause_reasons')).length, 2);
});
