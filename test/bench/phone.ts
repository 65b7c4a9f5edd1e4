import { measureSignIns, type SignInResult, type SignInSettings } from './phone-sign-ins.js';
import { PhoneSite, type Size } from './phone-site.js';
import { measureStates, type StateResult, type StateSettings } from './phone-states.js';
import { measureWrapUps, type WrapUpResult, type WrapUpSettings } from './phone-wrap-ups.js';

export interface PhoneResult {
  size: Size;
  states: StateResult[];
  signIns: SignInResult[];
  wrapUps: WrapUpResult[];
}

export interface PhoneSettings {
  size: Size;
  states: StateSettings;
  signIns: SignInSettings;
  wrapUps: WrapUpSettings;
}

/** Agents at their telephones, a whole call centre of them. */
export async function measurePhones(
  settings: PhoneSettings,
  progress: (text: string) => void,
): Promise<PhoneResult> {
  const { size } = settings;
  progress(`${size.agents} agents in ${size.groups} groups, ${size.servers} servers`);
  const site = await PhoneSite.start(size, progress);
  try {
    return {
      size,
      signIns: await measureSignIns(site, settings.signIns, progress),
      states: await measureStates(site, settings.states, progress),
      wrapUps: await measureWrapUps(site, settings.wrapUps, progress),
    };
  } finally {
    await site.stop();
  }
}
