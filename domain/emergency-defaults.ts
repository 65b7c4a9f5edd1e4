/**
 * Numbers that are surely for emergencies, by country (ISO 3166): those of police, fire brigade and ambulance that every
 * telephone network there connects. A migration has a copy of its own (0028): what teams had is not changed by this list.
 */
const byCountry: Readonly<Record<string, string>> = {
  AT: '112,122,133,144',
  AU: '000,112',
  BE: '112,100,101',
  BG: '112',
  BR: '190,192,193',
  CA: '911',
  CH: '112,117,118,144',
  CN: '110,119,120',
  CY: '112,199',
  CZ: '112,150,155,158',
  DE: '112,110',
  DK: '112',
  EE: '112',
  ES: '112',
  FI: '112',
  FR: '112,15,17,18',
  GB: '112,999',
  GR: '112,100,166,199',
  HK: '999',
  HR: '112',
  HU: '112,104,105,107',
  IE: '112,999',
  IS: '112',
  IT: '112,113,115,118',
  JP: '110,119',
  KR: '112,119',
  LI: '112,117,118,144',
  LT: '112',
  LU: '112,113',
  LV: '112',
  MT: '112',
  MX: '911',
  NL: '112',
  NO: '112,110,113',
  NZ: '111',
  PL: '112,997,998,999',
  PT: '112',
  RO: '112',
  SE: '112',
  SG: '995,999',
  SI: '112,113',
  SK: '112',
  US: '911',
  ZA: '112,10111,10177',
};

/** Where no country is known, or none of ours: the two that ITU-T E.161.1 has every network know. */
export const everywhere = '112,911';

/** The emergency numbers of a team of which nobody has said them, as they are stored. */
export const usualEmergencies = (country: string | null): string => byCountry[country ?? ''] ?? everywhere;

/** Stored emergency numbers, each once; null: none. */
export const readEmergencies = (stored: string | null): string[] =>
  stored === null ? [] : [...new Set(stored.split(','))];
