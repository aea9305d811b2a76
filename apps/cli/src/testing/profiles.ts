/** Profiles that are no further than a test wants them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { profileOf, writeNote } from '../profile.ts';
import { NO_NETWORK } from './in-process.ts';

const WELL_KNOWN = {
  domain: 'localhost',
  api: '/v1',
  lime: '/lime',
  directory: '/directory',
  relay: '/relay',
  gate: 'open',
  version: '1.2.3',
};

/** A server that says what it is, and is gone then: keys are made, and nobody has them. */
export const discoveredOnly: ClientRuntime = {
  ...NO_NETWORK,
  fetch: async (input, init) =>
    String(input).endsWith('/.well-known/sealwire') ? Response.json(WELL_KNOWN) : NO_NETWORK.fetch(input, init),
};

/** Of somebody who is registered, by the look of it: a header that nobody can open, and the note. */
export function makeProfile(home: string, name: string): void {
  const profile = profileOf(join(home, '.local/share/sealwire'), name);
  mkdirSync(profile.folder, { recursive: true, mode: 0o700 });
  writeFileSync(profile.keysFile, '{}', { mode: 0o600 });
  writeNote(profile, { server: 'http://localhost:8080', address: `sip:${name}@localhost` });
}
