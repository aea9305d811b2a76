/** What a test expects of a message that must not be read. */
import { expect } from '@jest/globals';
import type { Letter, Person } from './world.ts';

/** What a changed message may end in. */
const REFUSALS = [
  'authentication-failed',
  'duplicate',
  'identity-changed',
  'malformed',
  'no-session',
  'replayed-init',
  'too-far',
  'unknown-one-time-prekey',
  'unknown-signed-prekey',
  'wrong-curve',
];

/** Refused with a typed error, and every record byte for byte as before. Gives back the error's code. */
export function expectRefused(person: Person, letter: Letter): string {
  const before = person.state();
  const code = person.refusal(letter);
  expect(REFUSALS).toContain(code);
  expect(person.state()).toBe(before);
  return code;
}
