/** Devices of two domains, each with a directory of its own that asks the other one (docs/spec/lime-key-server.md section 7). */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import { type Correspondent, DIRECTIONS, headerOf, type Kind } from './correspondent.ts';
import type { KeyDirectory } from './key-directory.ts';
import { startPair } from './pair.ts';
import type { Suite } from './suite.ts';

const DOMAINS = ['example.org', 'example.com'] as const;
const GROUP = 'sip:friends@conf.example.org';

export function foreignDomains({ curve, world, it }: Suite): void {
  describe('two domains', () => {
    let here: KeyDirectory;
    let there: KeyDirectory;
    let count = 0;
    beforeAll(async () => {
      [here, there] = await startPair(DOMAINS);
    });
    afterAll(async () => {
      await here.close();
      await there.close();
    });

    const deviceAt = (directory: KeyDirectory, kind: Kind, oneTimePrekeys?: number): Promise<Correspondent> => {
      const domain = DOMAINS[directory === here ? 0 : 1];
      const device = parseDeviceId(`sip:${kind}-${++count}@${domain};gr=urn:uuid:${curve}-${count}`);
      return world().device(kind, curve, {
        device,
        directory,
        ...(oneTimePrekeys === undefined ? {} : { oneTimePrekeys }),
      });
    };

    it.each(DIRECTIONS)('%s here writes first to %s there, who answers; and the other way round', async (from, to) => {
      for (const [home, abroad] of [
        [here, there],
        [there, here],
      ] as const) {
        const sender = await deviceAt(home, from);
        const recipient = await deviceAt(abroad, to);
        const [letter] = await sender.write([recipient], 'from far away');
        expect(headerOf(letter!, curve).init?.withOneTime).toBe(true);
        expect(await recipient.read(letter!)).toMatchObject({ content: 'from far away' });
        const [answer] = await recipient.write([sender], 'and back');
        expect(await sender.read(answer!)).toMatchObject({ content: 'and back' });
      }
    });

    it('a group over both: all are served in one message, but for who has no keys; without one-time prekeys too', async () => {
      for (const [from] of DIRECTIONS) {
        const sender = await deviceAt(here, from);
        const ghost = { device: parseDeviceId('sip:ghost@example.com;gr=urn:uuid:0'), user: 'sip:ghost@example.com' };
        const members = [
          await deviceAt(there, 'liblime'),
          await deviceAt(here, 'ours'),
          await deviceAt(there, 'ours', 0),
          await deviceAt(here, 'liblime'),
        ];
        const letters = await sender.write([members[0]!, members[1]!, ghost, members[2]!, members[3]!], 'all', {
          policy: 'cipherMessage',
          user: GROUP,
        });
        expect(letters.map(({ to }) => to)).toEqual(members.map(({ device }) => device));
        expect(letters.map((letter) => headerOf(letter, curve).init?.withOneTime)).toEqual([true, true, false, true]);
        for (const [i, member] of members.entries())
          expect(await member.read(letters[i]!)).toMatchObject({ content: 'all' });
      }
    });
  });

  it('the other directory is gone: its people have no keys for now, the others are served', async () => {
    const [here, there] = await startPair(DOMAINS);
    try {
      const at = (directory: KeyDirectory, kind: Kind, name: string) => {
        const device = parseDeviceId(`sip:${name}-${curve}@${DOMAINS[directory === here ? 0 : 1]};gr=urn:uuid:${name}`);
        return world().device(kind, curve, { device, directory });
      };
      for (const [from, to] of DIRECTIONS) {
        const sender = await at(here, from, `left-alone-${from}`);
        const near = await at(here, to, `near-${from}`);
        await there.close();
        const far = { device: parseDeviceId('sip:far@example.com;gr=urn:uuid:9'), user: 'sip:far@example.com' };
        const letters = await sender.write([far, near], 'anybody?', { user: GROUP });
        expect(letters.map(({ to }) => to)).toEqual([near.device]);
        expect(await near.read(letters[0]!)).toMatchObject({ content: 'anybody?' });
      }
    } finally {
      await here.close();
    }
  });
}
