import { measureCalls } from './calls.js';
console.log(
  JSON.stringify(
    await measureCalls(
      {
        rounds: 2,
        sliceSeconds: 4,
        rates: { asterisk: 50, extension: 20, group: 10 },
        climb: { from: 100, factor: 1.25, seconds: 3 },
      },
      (t) => {
        console.error(t);
      },
    ),
    null,
    1,
  ),
);
