import t from 'tap';
import { needLab } from '../support/centre.js';
import { everyMinute, type Span } from '../support/trials/hours-minutes.js';

await needLab(t);
const spans: Span[] = [
  { team: 'berlin', zone: 'Europe/Berlin', from: '2027-03-27T12:00Z', to: '2027-03-30T12:00Z' },
  { team: 'berlin', zone: 'Europe/Berlin', from: '2027-10-30T00:00Z', to: '2027-10-31T12:00Z' },
  { team: 'berlin', zone: 'Europe/Berlin', from: '2026-12-30T12:00Z', to: '2027-01-03T12:00Z' },
  // Half an hour; at midnight; over a quarter of an hour; to the evening before; never.
  { team: 'howe', zone: 'Australia/Lord_Howe', from: '2027-04-03T06:00Z', to: '2027-04-04T06:00Z' },
  { team: 'azores', zone: 'Atlantic/Azores', from: '2027-10-30T12:00Z', to: '2027-10-31T12:00Z' },
  { team: 'chatham', zone: 'Pacific/Chatham', from: '2027-04-03T06:00Z', to: '2027-04-04T06:00Z' },
  { team: 'santiago', zone: 'America/Santiago', from: '2027-04-03T18:00Z', to: '2027-04-04T18:00Z' },
  { team: 'kolkata', zone: 'Asia/Kolkata', from: '2027-04-03T18:00Z', to: '2027-04-04T18:00Z' },
];
await everyMinute(t, spans);
