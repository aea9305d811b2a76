/** The SDK's encryption with liblime devices: two curves in one message, and the manifest's word on identities (lime-protocol section 13). */
import { describe, expect } from '@jest/globals';
import type { EngineDevice } from '@sealwire/client/engine';
import type { CurveName } from '@sealwire/crypto/port';
import { type AccountAddress, parseAccountAddress } from '@sealwire/wire/ids';
import { LIME_SUITES } from '@sealwire/wire/lime-server';
import { type Correspondent, headerOf, type Letter, writeTo } from './correspondent.ts';
import type { Suite } from './suite.ts';

const GROUP = parseAccountAddress('sip:friends@conf.example.org');
const CURVE_ID_AT = 2;
const DAY = 24 * 60 * 60 * 1000;

export function sdk({ world, it }: Omit<Suite, 'curve'>): void {
  /** As the manifest of its account names it. */
  async function named(peer: Correspondent): Promise<EngineDevice> {
    const { device, curve } = peer;
    return { id: device, identities: [{ suite: curve, identityKey: await peer.identityKey() }] };
  }

  const curveOf = ({ message }: Letter): CurveName =>
    message[CURVE_ID_AT] === LIME_SUITES.c448.id ? 'c448' : 'c25519';

  describe('an SDK device on both curves', () => {
    it('writes one message to liblime on either curve and to its like; all read it and answer', async () => {
      const alice = await world().sdkDevice(['c25519', 'c448']);
      const [bob, carol] = [await world().sdkDevice(['c448', 'c25519']), await world().sdkDevice(['c448'])];
      const peers = [await world().device('liblime', 'c25519'), await world().device('liblime', 'c448')];
      const everybody: EngineDevice[] = [bob, carol];
      for (const peer of peers) everybody.push(await named(peer));

      for (const content of ['', 'short', 'long '.repeat(1_000)]) {
        const letters = await alice.write(everybody, GROUP, content);
        const letterTo = (id: string) => letters.find((letter) => letter.to === id)!;
        const isDirect = content.length < 50;
        for (const letter of letters) expect(letter.cipherMessage).toHaveLength(isDirect ? 0 : content.length + 16);
        expect([bob, carol].map(({ id }) => curveOf(letterTo(id)))).toEqual(['c448', 'c448']);
        for (const device of [bob, carol]) expect(await device.read(letterTo(device.id), alice)).toBe(content);
        for (const peer of peers) {
          expect(curveOf(letterTo(peer.device))).toBe(peer.curve);
          expect(await peer.read(letterTo(peer.device))).toMatchObject({ content });
        }
      }
      for (const peer of peers) {
        const answer = await writeTo(peer, { device: alice.id, user: alice.user }, 'answer');
        expect(headerOf(answer, peer.curve).init).toBeUndefined();
        expect(await alice.read(answer, await named(peer))).toBe('answer');
      }
    });

    it('is written to first by liblime on either curve, also after it rotated its keys', async () => {
      let now = Date.UTC(2026, 0, 1);
      const alice = await world().sdkDevice(['c25519', 'c448'], () => now);
      const addressee = { device: alice.id, user: alice.user };
      const prekeys = new Set<number>();
      for (const days of [0, 8]) {
        now += days * DAY;
        await alice.upkeep();
        for (const curve of ['c25519', 'c448'] as const) {
          const peer = await world().device('liblime', curve);
          const letter = await writeTo(peer, addressee, 'hello', { policy: 'cipherMessage' });
          prekeys.add(headerOf(letter, curve).init!.signedPrekeyId);
          expect(await alice.read(letter, await named(peer))).toBe('hello');
          const [answer] = await alice.write([await named(peer)], peer.user as AccountAddress, 'welcome');
          expect(await peer.read(answer!)).toMatchObject({ content: 'welcome' });
        }
      }
      expect(prekeys.size).toBe(4);
    });

    it('is a member of a group with liblime devices of others and of its own; one without keys fails alone', async () => {
      const [alice, bob] = [await world().sdkDevice(['c25519', 'c448']), await world().sdkDevice(['c448', 'c25519'])];
      const peers: Correspondent[] = [];
      for (const curve of ['c25519', 'c448', 'c25519'] as const) peers.push(await world().device('liblime', curve));
      const lost = peers.at(-1)!;
      await world().directory.ask(lost.device, { kind: 'deleteUser', suite: lost.curve });
      const group: EngineDevice[] = [bob];
      for (const peer of peers) group.push(await named(peer));
      const letters = await alice.write(group, GROUP, 'long '.repeat(100));
      const letterTo = (id: string) => letters.find((letter) => letter.to === id)!;
      expect(letters.map(({ to }) => to).sort()).toEqual(group.map(({ id }) => id).sort());
      expect(letterTo(lost.device).message).toHaveLength(0);
      expect(await bob.read(letterTo(bob.id), alice)).toBe('long '.repeat(100));
      for (const peer of peers.slice(0, -1)) {
        expect(await peer.read(letterTo(peer.device))).toMatchObject({ content: 'long '.repeat(100) });
        const others = [alice, bob].map(({ id, user }) => ({ device: id, user }));
        const answers = await peer.write(others, 'to the group', { user: GROUP, policy: 'cipherMessage' });
        for (const [i, answer] of answers.entries())
          expect(await [alice, bob][i]!.read(answer, await named(peer))).toBe('to the group');
      }
    });

    it.each(['c25519', 'c448'] as const)(
      'reads late what was sent early on %s, nothing twice, and begins anew after 1000',
      async (curve) => {
        const alice = await world().sdkDevice([curve]);
        const peer = await world().device('liblime', curve);
        const [addressee, sender] = [{ device: alice.id, user: alice.user }, await named(peer)];
        const early: Letter[] = [];
        for (const content of ['0', '1', '2', '3']) early.push(await writeTo(peer, addressee, content));
        for (const at of [2, 0, 3, 1]) expect(await alice.read(early[at]!, sender)).toBe(`${at}`);
        for (const letter of early) await expect(alice.read(letter, sender)).rejects.toThrow('duplicate');

        const sent: Letter[] = [];
        for (let i = 0; i <= 1_000; i += 1) sent.push(...(await alice.write([sender], alice.user, `${i}`)));
        expect(sent.map((letter) => headerOf(letter, curve).number)).toEqual([...Array(1_000).keys(), 0]);
        for (const at of [999, 1_000, 1]) expect(await peer.read(sent[at]!)).toMatchObject({ content: `${at}` });
        expect(await alice.read(await writeTo(peer, addressee, 'there you are'), sender)).toBe('there you are');
      },
    );

    it('heals a directory that lost everybody, and refuses a changed identity key until the user has accepted it', async () => {
      const curves = ['c25519', 'c448'] as const;
      const alice = await world().sdkDevice(curves);
      const addressee = { device: alice.id, user: alice.user };
      const elsewhere = await world().anotherDirectory();
      const peers: Correspondent[] = [];
      for (const curve of curves) {
        const peer = await world().device('liblime', curve);
        expect(await alice.read(await writeTo(peer, addressee, 'hello'), await named(peer))).toBe('hello');
        peers.push(peer);
      }
      expect(await alice.moveTo(elsewhere)).toEqual(
        curves.map((suite) => ({ suite, part: 'registration', mended: true })),
      );
      for (const { device, curve } of peers) {
        const returned = await world().device('liblime', curve, { device, directory: elsewhere });
        const letter = await writeTo(returned, addressee, 'it is me');
        await expect(alice.read(letter, await named(returned))).rejects.toThrow('identity-mismatch');
        alice.forget(device);
        expect(await alice.read(letter, await named(returned))).toBe('it is me');
        const [answer] = await alice.write([await named(returned)], alice.user, 'so it is');
        expect(await returned.read(answer!)).toMatchObject({ content: 'so it is' });
      }
    });

    it('D18: neither writes to nor reads from a liblime device whose key is not the one of the manifest', async () => {
      const alice = await world().sdkDevice(['c25519']);
      const [peer, other] = [await world().device('liblime', 'c25519'), await world().device('liblime', 'c25519')];
      const posing = { ...(await named(other)), id: peer.device };
      await expect(alice.write([posing], GROUP, 'hello')).rejects.toThrow('identity-mismatch');
      const letter = await writeTo(peer, { device: alice.id, user: alice.user }, 'it is me');
      await expect(alice.read(letter, posing)).rejects.toThrow('identity-mismatch');
    });
  });
}
