import t from 'tap';
import { needLab } from '../../support/centre.js';
import { everyMinute } from '../../support/trials/hours-minutes.js';

/** In small what test/load/hours-minutes.load.ts is at full size: around the changes, and the days that are named. */
await needLab(t);
const berlin = { team: 'berlin', zone: 'Europe/Berlin' };
await everyMinute(t, [
  { ...berlin, from: '2027-03-27T21:00Z', to: '2027-03-28T06:00Z' },
  { ...berlin, from: '2027-03-28T21:00Z', to: '2027-03-30T12:00Z', only: ['office'] },
  { ...berlin, from: '2027-10-30T20:00Z', to: '2027-10-31T05:00Z' },
  { ...berlin, from: '2026-12-30T21:00Z', to: '2027-01-03T02:00Z', only: ['office'] },
  // Half an hour; at midnight; over a quarter of an hour; to the evening before; never.
  { team: 'howe', zone: 'Australia/Lord_Howe', from: '2027-04-03T12:00Z', to: '2027-04-03T18:00Z' },
  { team: 'azores', zone: 'Atlantic/Azores', from: '2027-10-30T22:00Z', to: '2027-10-31T04:00Z' },
  { team: 'chatham', zone: 'Pacific/Chatham', from: '2027-04-03T11:00Z', to: '2027-04-03T17:00Z' },
  { team: 'santiago', zone: 'America/Santiago', from: '2027-04-04T00:00Z', to: '2027-04-04T06:00Z' },
  { team: 'kolkata', zone: 'Asia/Kolkata', from: '2027-04-03T18:00Z', to: '2027-04-04T00:00Z' },
]);
