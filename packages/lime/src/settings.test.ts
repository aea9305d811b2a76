/** The settings hold together, and every one can be overridden by name. */
import { expect, it } from '@jest/globals';
import { LIME_SETTINGS, limeSettings } from './settings.ts';

it('the values of liblime 5.3', () => {
  const day = 86_400_000;
  expect(limeSettings()).toMatchObject({
    sendingChainMessages: 1000,
    skippedKeysPerMessage: 1024,
    skippedChainMessages: 128,
    signedPrekeyLifeMs: 7 * day,
    signedPrekeyKeptMs: 30 * day,
    oneTimePrekeysAtRegistration: 100,
    oneTimePrekeysLow: 100,
    oneTimePrekeysBatch: 25,
    oneTimePrekeyKeptMs: 37 * day,
    updateEveryMs: day,
    staleSessionKeptMs: 30 * day,
  });
});

it('a peer may skip a whole sending chain, and a session holds what one message may skip', () => {
  const settings = limeSettings();
  expect(settings.skippedKeysPerMessage).toBeGreaterThanOrEqual(settings.sendingChainMessages);
  expect(settings.skippedKeysPerSession).toBeGreaterThanOrEqual(settings.skippedKeysPerMessage);
  expect(settings.sendingChainMessages).toBeLessThan(2 ** 16);
});

it('overrides replace single values; each has a reason', () => {
  expect(limeSettings({ staleSessionsPerPeer: 2 })).toEqual({ ...limeSettings(), staleSessionsPerPeer: 2 });
  for (const setting of Object.values(LIME_SETTINGS)) expect(setting.why.length).toBeGreaterThan(10);
});
