import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { GapEvent } from '@sealwire/client/events';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { Output } from './output.ts';
import { showEvent } from './show-event.ts';

const ALICE = parseAccountAddress('sip:alice@example.org');

async function shown(event: GapEvent): Promise<string> {
  const stderr = new PassThrough();
  await showEvent(new Output({ stdout: new PassThrough(), stderr, json: false, color: false }), event, ALICE);
  return String(stderr.read());
}

describe('a gap', () => {
  it('says that a flood was cut where it came from, and what was only too old', async () => {
    expect(await shown({ kind: 'gap', count: 301, reason: 'trimmed' })).toBe(
      'warning: 301 messages were lost: the mailbox was full, and the oldest ones of whoever had most in it had to go\n',
    );
    expect(await shown({ kind: 'gap', count: 2, reason: 'expired' })).toContain('waited longer');
  });
});
