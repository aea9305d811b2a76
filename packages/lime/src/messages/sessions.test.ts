/** Several sessions between two devices: begun, replaced, converging (lime-protocol section 9). */
import { describe, expect, it } from '@jest/globals';
import { decodeSession } from '../records/session-record.ts';
import { crypto, DAY, type Person, World } from '../testing/world.ts';
import type { PublicSignedPrekey } from '../x3dh/prekey-bundle.ts';

const hasInit = (letter: { message: Uint8Array }) => (letter.message[1]! & 1) === 1;
const numberOf = (message: Uint8Array) =>
  message[message[1]! & 1 ? 3 + 73 : 3]! * 256 + message[(message[1]! & 1 ? 3 + 73 : 3) + 1]!;

function sharedData(me: Person, peer: Person): string {
  const record = me.store.load(`active ${me.device} ${peer.device}`)!;
  return Buffer.from(decodeSession(crypto, record).ratchet.sharedData).toString('hex');
}

function staleCount(me: Person, peer: Person): number {
  return me.store.keys(`stale ${me.device} ${peer.device} `).length;
}

describe('beginning', () => {
  it('the init is repeated until the first answer, and all of them land in one session', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const letters = ['1', '2', '3'].map((content) => alice.write(bob, content));
    expect(letters.map(hasInit)).toEqual([true, true, true]);
    expect([letters[2]!, letters[0]!].map((letter) => bob.read(letter))).toEqual(['3', '1']);
    alice.read(bob.write(alice, 'answer'));
    expect(hasInit(alice.write(bob, '4'))).toBe(false);
    expect(bob.read(letters[1]!)).toBe('2');
    expect(staleCount(bob, alice)).toBe(0);
  });

  it('F09, S25: both begin at once; nothing is lost, and two round trips later there is one session', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const [fromAlice, fromBob] = [alice.write(bob, 'hi bob'), bob.write(alice, 'hi alice')];
    expect([bob.read(fromAlice), alice.read(fromBob)]).toEqual(['hi bob', 'hi alice']);
    for (const round of ['one', 'two']) {
      expect(bob.read(alice.write(bob, round))).toBe(round);
      expect(alice.read(bob.write(alice, round))).toBe(round);
    }
    // SharedAD depends on who began: equal on both sides only when it is the same session.
    expect(sharedData(alice, bob)).toBe(sharedData(bob, alice));
    expect([staleCount(alice, bob), staleCount(bob, alice)]).toEqual([1, 1]);
    expect([alice.write(bob, 'x'), bob.write(alice, 'y')].map(hasInit)).toEqual([false, false]);
  });

  it('crossing messages without end are all read', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    for (let i = 0; i < 20; i += 1) {
      const [a, b] = [alice.write(bob, `a${i}`), bob.write(alice, `b${i}`)];
      expect([bob.read(a), alice.read(b)]).toEqual([`a${i}`, `b${i}`]);
    }
  });
});

describe('replacing', () => {
  it('S24, F10: a thousand messages without an answer end a session; the old one still reads and answers', () => {
    const world = new World({ sendingChainMessages: 1000 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const first = alice.write(bob, 'first');
    let last = first;
    for (let i = 1; i < 1000; i += 1) last = alice.write(bob, `message ${i}`);
    expect(numberOf(last.message)).toBe(999);
    expect(alice.lime.devicesWithoutSession(alice.device, [bob.device])).toEqual([bob.device]);
    const fresh = alice.write(bob, 'fresh');
    expect([hasInit(fresh), numberOf(fresh.message)]).toEqual([true, 0]);
    expect(bob.read(fresh)).toBe('fresh');
    expect(bob.read(last)).toBe('message 999');
    expect(alice.read(bob.write(alice, 'on the old one'))).toBe('on the old one');
    expect(bob.read(first)).toBe('first');
  });

  it('an answer begins a new sending chain: no limit in a dialogue', () => {
    const world = new World({ sendingChainMessages: 3 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    for (let i = 0; i < 10; i += 1) {
      bob.read(alice.write(bob, 'ping'));
      alice.read(bob.write(alice, 'pong'));
    }
    expect(staleCount(alice, bob)).toBe(0);
  });

  it('given up: the next message begins a new session, a late one brings the old back', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    bob.read(alice.write(bob, 'hello'));
    const late = bob.write(alice, 'late');
    const old = sharedData(alice, bob);
    alice.renewSession(bob);
    alice.renewSession(bob);
    expect(alice.lime.devicesWithoutSession(alice.device, [bob.device])).toEqual([bob.device]);
    expect(bob.read(alice.write(bob, 'new'))).toBe('new');
    expect(alice.read(late)).toBe('late');
    expect(sharedData(alice, bob)).toBe(old);
    expect(bob.read(alice.write(bob, 'on the old again'))).toBe('on the old again');
  });

  it('stale sessions are kept thirty days, and update deletes them', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    bob.read(alice.write(bob, 'hello'));
    const late = bob.write(alice, 'late');
    alice.renewSession(bob);
    world.now += 30 * DAY;
    alice.lime.update(alice.device, world.heldOf(alice.device));
    expect(staleCount(alice, bob)).toBe(1);
    world.now += 1;
    alice.lime.update(alice.device, world.heldOf(alice.device));
    expect(staleCount(alice, bob)).toBe(0);
    expect(alice.refusal(late)).toBe('no-session');
  });

  it('a peer that begins sessions without end costs a bounded number of them', () => {
    const world = new World({ staleSessionsPerPeer: 3, oneTimePrekeysAtRegistration: 10 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const seen: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      world.now += 1;
      bob.read(alice.write(bob, `session ${i}`));
      seen.push(staleCount(bob, alice));
      alice.renewSession(bob);
    }
    expect(seen).toEqual([0, 1, 2, 3, 3, 3, 3, 3]);
  });

  it('a peer that begins sessions without one-time prekey without end is refused, and nobody else; no first message can be replayed', () => {
    const world = new World();
    const [alice, carol] = [world.person('alice'), world.person('carol')];
    const bob = world.person('bob', 'c25519', { rememberedInitsPerPeer: 3, staleSessionsPerPeer: 1 });
    const { registration } = world.directory.get(bob.device)!;
    const publish = (signedPrekey: PublicSignedPrekey) =>
      world.register(bob.device, { ...registration, signedPrekey, oneTimePrekeys: [] });
    publish(registration.signedPrekey);
    const letters = [0, 1, 2, 3, 4].map((i) => {
      alice.renewSession(bob);
      return alice.write(bob, `session ${i}`);
    });
    expect(letters.map((letter) => bob.refusal(letter))).toEqual([
      'read',
      'read',
      'read',
      ...Array(2).fill('too-many-inits'),
    ]);
    expect(bob.store.keys('init ')).toHaveLength(3);
    expect(bob.refusal(letters[0]!)).toBe('replayed-init');
    expect(bob.read(carol.write(bob, 'from somebody else'))).toBe('from somebody else');
    expect(alice.read(bob.write(alice, 'the last session goes on'))).toBe('the last session goes on');

    // Its time is that of the signed prekey.
    world.now += 8 * DAY;
    publish(bob.lime.update(bob.device, []).signedPrekey!);
    alice.renewSession(bob);
    expect(bob.read(alice.write(bob, 'to a newer signed prekey'))).toBe('to a newer signed prekey');
  });

  it('a stale session that becomes active again pushes none out', () => {
    const world = new World({ staleSessionsPerPeer: 2 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const late = ['first', 'second', 'third'].map((content, i) => {
      world.now += 1;
      if (i > 0) alice.renewSession(bob);
      bob.read(alice.write(bob, content));
      return bob.write(alice, `late ${content}`);
    });
    expect(staleCount(alice, bob)).toBe(2);
    for (const i of [1, 0, 2]) {
      world.now += 1;
      expect(alice.refusal(late[i]!)).toBe('read');
      expect(staleCount(alice, bob)).toBe(2);
    }
  });
});

it('a store that was set back: neither side reads the other, until one begins a new session', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  const turns = (n: number) => {
    bob.read(alice.write(bob, `ping ${n}`));
    alice.read(bob.write(alice, `pong ${n}`));
  };
  turns(1);
  const backup = bob.store.keys('').map((key) => ({ key, value: bob.store.load(key)! }));
  for (const n of [2, 3, 4]) turns(n);
  bob.store.save(bob.store.keys('').map((key) => ({ key, value: undefined })));
  bob.store.save(backup);
  bob.restart();
  expect(bob.refusal(alice.write(bob, 'to the one set back'))).toBe('authentication-failed');
  expect(alice.refusal(bob.write(alice, 'under keys that were used'))).toBe('duplicate');
  bob.renewSession(alice);
  expect(alice.read(bob.write(alice, 'anew'))).toBe('anew');
  turns(5);
});

it('deletePeer forgets the key of a device and all sessions with it', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  alice.read(bob.write(alice, 'hello'));
  expect(alice.lime.peerIdentityKey(bob.device)).toEqual(bob.identityKey);
  alice.renewSession(bob);
  alice.write(bob, 'again');
  alice.lime.deletePeer(bob.device);
  expect(alice.store.keys('').filter((key) => key.includes('bob'))).toEqual([]);
  expect(alice.lime.peerIdentityKey(bob.device)).toBeUndefined();
});
