/** What the LIME engine answers when it cannot: codes, and words for whoever reads them. */
import type { SuiteName } from '@sealwire/crypto/port';
import { LimeError, type LimeErrorCode } from '@sealwire/lime/errors';
import type { DeviceId } from '@sealwire/wire/ids';
import type { EngineDevice, EngineFailure, EngineResult } from '../engine.ts';

/** Failures that a new session mends, and that LIME's `decrypt` does not tell from a forgery or from damage on the way. */
const OF_THE_SESSION: readonly LimeErrorCode[] = [
  'authentication-failed',
  'duplicate',
  'malformed',
  'no-session',
  'replayed-init',
  'too-far',
  'too-many-inits',
  'unknown-one-time-prekey',
  'unknown-signed-prekey',
];

export function noCommonSuite(device: EngineDevice, ours: readonly SuiteName[]): EngineResult<never> {
  const theirs = device.identities.map(({ suite }) => suite).join(', ');
  const text = `${device.id} is on ${theirs}, this device on ${ours.join(', ')}: LIME devices talk on a suite that both have`;
  return failed('curve-mismatch', text);
}

export function failureOf(error: unknown): EngineFailure {
  if (!(error instanceof LimeError)) throw error;
  if (error.code !== 'identity-changed') return failed(error.code, error.message);
  return failed('identity-mismatch', error.message, error.devices[0]);
}

export function failed(code: string, text: string, suspect?: DeviceId): EngineFailure {
  return suspect ? { status: 'error', code, text, suspect } : { status: 'error', code, text };
}

export function isOfTheSession({ code }: EngineFailure): boolean {
  return OF_THE_SESSION.includes(code as LimeErrorCode);
}
