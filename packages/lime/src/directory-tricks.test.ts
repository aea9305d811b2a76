/** What a key directory might try with the bundles that it hands out (cases S01, S03, S09, S49). */
import { describe, expect, it } from '@jest/globals';
import { LimeError } from './errors.ts';
import { expectRefused } from './testing/refusals.ts';
import { bytes, DAY, flipped, type Person, World } from './testing/world.ts';

describe('what a directory might try', () => {
  function sending() {
    const world = new World();
    const [alice, bob, carol] = [world.person('alice'), world.person('bob'), world.person('carol')];
    const send = (bundles: ReturnType<World['bundles']>) =>
      alice.lime.encrypt(alice.device, {
        recipientUser: 'sip:group@example.org',
        recipients: bundles.map(({ device }) => device),
        plaintext: bytes('hello'),
        bundles,
      });
    return { world, alice, bob, carol, send };
  }

  it('S03, S01: a bad signature, a foreign signed prekey, weak keys: that recipient fails, the others are served', () => {
    const { world, bob, carol, send, alice } = sending();
    const [good, other] = world.bundles([bob.device, carol.device]);
    const { bundle } = good!;
    const zero = new Uint8Array(32);
    const bad = [
      { ...bundle!, signedPrekey: { ...bundle!.signedPrekey, signature: flipped(bundle!.signedPrekey.signature, 5) } },
      { ...bundle!, signedPrekey: other!.bundle!.signedPrekey },
      { ...bundle!, identityKey: other!.bundle!.identityKey },
      { ...bundle!, identityKey: zero },
      { ...bundle!, identityKey: new Uint8Array(31) },
      { ...bundle!, oneTimePrekey: { id: 5, publicKey: zero } },
      { ...bundle!, oneTimePrekey: { id: 5, publicKey: new Uint8Array(31) } },
    ];
    bad.forEach((each, i) => {
      const sent = send([{ device: bob.device, bundle: each }, ...(i === 0 ? [other!] : [])]);
      expect(sent.recipients[0]).toEqual({ device: bob.device, error: 'bad-bundle' });
      if (i === 0) expect(sent.recipients[1]!.message).toBeDefined();
    });
    expect(alice.lime.peerIdentityKey(bob.device)).toBeUndefined();
    expect(send([good!]).recipients[0]!.message).toBeDefined();
  });

  it('S49: another identity key stops the whole call, until the peer is deleted', () => {
    const { world, alice, bob, carol, send } = sending();
    bob.read(alice.write(bob, 'hello'));
    alice.renewSession(bob);
    const impostor = new World().person('x');
    const before = alice.state();
    const registration = impostor.lime.registrationOf(impostor.device);
    const bundles = [
      ...world.bundles([carol.device]),
      { device: bob.device, bundle: { ...registration, oneTimePrekey: undefined } },
    ];
    let error: unknown;
    try {
      send(bundles);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(LimeError);
    expect(error).toMatchObject({ code: 'identity-changed', devices: [bob.device] });
    expect(alice.state()).toBe(before);
    expect(alice.lime.peerIdentityKey(bob.device)).toEqual(bob.identityKey);
    alice.lime.deletePeer(bob.device);
    expect(send(bundles).recipients.every(({ message }) => message)).toBe(true);
    expect(alice.lime.peerIdentityKey(bob.device)).toEqual(impostor.identityKey);
  });

  it('S49: a first message with another identity key is refused; the session with the old key goes on', () => {
    const { world, alice, bob } = sending();
    alice.read(bob.write(alice, 'hello'));
    const again = new World();
    const second = again.person('bob');
    again.register(alice.device, { ...world.directory.get(alice.device)!.registration, oneTimePrekeys: [] });
    const letter = second.write({ ...alice, device: alice.device } as Person, 'new phone', {
      recipientUser: alice.user,
    });
    expect(expectRefused(alice, letter)).toBe('identity-changed');
    expect(alice.read(bob.write(alice, 'the old one'))).toBe('the old one');
    alice.lime.deletePeer(bob.device);
    expect(alice.read(letter)).toBe('new phone');
  });

  it('S09: a signed prekey that the peer has replaced does not come back; 0 remembered switches that off', () => {
    const { world, alice, bob, send } = sending();
    const old = world.bundles([bob.device]);
    send(old);
    world.now += 8 * DAY;
    const { signedPrekey } = bob.lime.update(bob.device, []);
    const current = [
      { device: bob.device, bundle: { ...old[0]!.bundle!, signedPrekey: signedPrekey!, oneTimePrekey: undefined } },
    ];
    const again = (bundles: typeof old, settings = {}) => {
      if (alice.lime.devicesWithoutSession(alice.device, [bob.device]).length === 0) {
        alice.renewSession(bob);
      }
      Object.assign(alice.settings, settings);
      alice.restart();
      return send(bundles).recipients[0]!;
    };
    expect(again(current).message).toBeDefined();
    expect(again(current).message).toBeDefined();
    expect(again(old)).toMatchObject({ error: 'superseded-signed-prekey' });
    expect(again(current, { signedPrekeyIdsRemembered: 0 }).message).toBeDefined();
    expect(again(old).message).toBeDefined();
  });
});
