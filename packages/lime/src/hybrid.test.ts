/** The hybrid suites among our own devices: when KEM steps are made, what a header then carries, and the bounds of section 13. */
import { describe, expect, it } from '@jest/globals';
import { decodeSession } from './records/session-record.ts';
import { hybridSettings, limeSettings } from './settings.ts';
import { crypto, DAY, type Letter, type Person, World } from './testing/world.ts';

const SUITES = ['c25519mlk512', 'c448mlk1024'] as const;

/** Type bit 2: the KEM keys are named by indexes. */
const isShort = ({ message }: Letter) => (message[1]! & 4) !== 0;
const hasInit = ({ message }: Letter) => (message[1]! & 1) !== 0;

/** `count` letters of one, all read by the other. */
function exchange(from: Person, to: Person, count = 1): Letter[] {
  return Array.from({ length: count }, (_, i) => {
    const letter = from.write(to, `letter ${i}`);
    expect(to.read(letter)).toBe(`letter ${i}`);
    return letter;
  });
}

function kemStateOf(me: Person, peer: Person) {
  const record = me.store.load(`active ${me.device} ${peer.device}`)!;
  return decodeSession(crypto, record).ratchet.kem!;
}

describe.each(SUITES)('%s', (suite) => {
  const { dh, kem, signatures } = crypto.suites[suite];
  const long = 3 + 4 + dh.keyLength + kem!.publicKeyLength + kem!.ciphertextLength;
  const short = 3 + 4 + dh.keyLength + 24;
  const init = 1 + signatures.publicKeyLength + dh.keyLength + kem!.ciphertextLength + 8;

  function pair(settings = {}) {
    const world = new World(settings);
    return { world, alice: world.person('alice', suite), bob: world.person('bob', suite) };
  }

  it('sizes: init and long form until the first answer, which has the long form, then the short form', () => {
    const { alice, bob } = pair();
    const sizes = (letters: Letter[]) => letters.map(({ message }) => message.length - 'letter 0'.length - 16);
    expect(sizes(exchange(alice, bob, 2))).toEqual([init + long, init + long]);
    expect(sizes(exchange(bob, alice, 2))).toEqual([long, long]);
    expect(sizes(exchange(alice, bob, 2))).toEqual([short, short]);
    expect(sizes(exchange(bob, alice, 2))).toEqual([short, short]);
  });

  it('without one-time prekey the secret is encapsulated to the signed prekey', () => {
    const { world, alice, bob } = pair();
    world.directory.get(bob.device)!.oneTimePrekeys = [];
    const [first] = exchange(alice, bob);
    expect(first!.message.length).toBe(init - 4 + long + 'letter 0'.length + 16);
    exchange(bob, alice);
  });

  it('a KEM step after more than 42 messages, and not before; each side in its turn', () => {
    const { alice, bob } = pair();
    exchange(alice, bob);
    exchange(bob, alice);
    // The peer's last KEM step is Bob's answer: one message. 41 more are 42 in all, which is not more than 42.
    exchange(alice, bob, 20);
    exchange(bob, alice, 21);
    expect(isShort(exchange(alice, bob)[0]!)).toBe(true);
    exchange(bob, alice);
    expect(isShort(exchange(alice, bob)[0]!)).toBe(false);
    exchange(bob, alice, 22);
    expect(isShort(exchange(alice, bob, 22)[0]!)).toBe(true);
    expect(isShort(exchange(bob, alice)[0]!)).toBe(false);
  });

  it('a KEM step after more than a day, and not before', () => {
    const { world, alice, bob } = pair();
    exchange(alice, bob);
    exchange(bob, alice);
    world.now += DAY;
    expect(isShort(exchange(alice, bob)[0]!)).toBe(true);
    exchange(bob, alice);
    world.now += 1;
    expect(isShort(exchange(alice, bob)[0]!)).toBe(false);
  });

  it('no KEM step without a key for it: the peer has to announce one', () => {
    const { world, alice, bob } = pair();
    exchange(alice, bob);
    exchange(bob, alice);
    world.now += 2 * DAY;
    expect(isShort(exchange(alice, bob)[0]!)).toBe(false);
    world.now += 2 * DAY;
    expect(isShort(exchange(bob, alice)[0]!)).toBe(false);
    expect(kemStateOf(bob, alice).peerKey).toBeUndefined();
    world.now += 2 * DAY;
    expect(isShort(exchange(bob, alice)[0]!)).toBe(false);
  });

  it('keys are announced until the peer has shown that it has them, and the messages of a KEM step come in any order', () => {
    const { world, alice, bob } = pair();
    exchange(alice, bob);
    exchange(bob, alice);
    exchange(alice, bob);
    world.now += 2 * DAY;
    const late = bob.write(alice, 'late');
    const [second, third] = exchange(bob, alice, 2);
    expect([late, second!, third!].map(isShort)).toEqual([true, true, true]);
    world.now += 2 * DAY;
    const step = alice.write(bob, 'step');
    exchange(alice, bob, 2);
    expect(isShort(step)).toBe(false);
    expect(kemStateOf(alice, bob).announced).toBeDefined();
    expect(isShort(exchange(bob, alice)[0]!)).toBe(true);
    expect(kemStateOf(alice, bob).announced).toBeUndefined();
    expect(bob.read(step)).toBe('step');
    expect(alice.read(late)).toBe('late');
    expect(isShort(exchange(alice, bob)[0]!)).toBe(true);
  });

  it('an answer by an old chain that names our newest key ends the announcement as well', () => {
    const { alice, bob } = pair();
    exchange(alice, bob);
    exchange(bob, alice);
    // Bob's first chain announced his key; that Alice has it shows in the index of her short header.
    expect(kemStateOf(bob, alice).announced).toBeDefined();
    const early = alice.write(bob, 'early');
    const [later] = exchange(alice, bob);
    expect(isShort(later!)).toBe(true);
    expect(kemStateOf(bob, alice).announced).toBeUndefined();
    expect(bob.read(early)).toBe('early');
  });

  it('every state survives a restart, and both begin at once', () => {
    const { world, alice, bob } = pair({ kemStepMessages: 1 });
    const [fromAlice, fromBob] = [alice.write(bob, 'a'), bob.write(alice, 'b')];
    for (const each of [alice, bob]) each.restart();
    expect([bob.read(fromAlice), alice.read(fromBob)]).toEqual(['a', 'b']);
    for (let turn = 0; turn < 12; turn += 1) {
      world.now += 1000;
      const [from, to] = turn % 2 === 0 ? [alice, bob] : [bob, alice];
      exchange(from, to, 1 + (turn % 3));
      for (const each of [alice, bob]) each.restart();
    }
  });

  it('mixed recipients share one cipherMessage, whatever their suite', () => {
    const { world, alice, bob } = pair();
    const carol = world.person('carol', suite);
    const [toBob, toCarol] = alice.writeToAll([bob, carol], 'to both', { policy: 'cipherMessage' });
    expect(toBob!.cipherMessage).toEqual(toCarol!.cipherMessage);
    expect([bob.read(toBob!), carol.read(toCarol!)]).toEqual(['to both', 'to both']);
    expect(hasInit(toBob!)).toBe(true);
  });

  it('F10: 512 keys may be skipped, not 513; in two chains together', () => {
    const settings = { hybridSendingChainMessages: 1000 };
    const { alice, bob } = pair(settings);
    const letters = Array.from({ length: 514 }, () => alice.write(bob, 'x'));
    const before = bob.state();
    expect(bob.refusal(letters[513]!)).toBe('too-far');
    expect(bob.state()).toBe(before);
    expect(bob.refusal(letters[512]!)).toBe('read');
    expect(bob.refusal(letters[0]!)).toBe('read');
  });

  it('S24: 500 messages without an answer, then a new session', () => {
    const { alice, bob } = pair({ hybridSendingChainMessages: 5 });
    const letters = Array.from({ length: 6 }, () => alice.write(bob, 'x'));
    const ephemeral = ({ message }: Letter) => message.slice(4, 4 + signatures.publicKeyLength + dh.keyLength).join();
    expect(new Set(letters.slice(0, 5).map(ephemeral)).size).toBe(1);
    expect(ephemeral(letters[5]!)).not.toBe(ephemeral(letters[0]!));
    for (const letter of letters) expect(bob.read(letter)).toBe('x');
  });

  it('skipped keys are given up after 64 later messages', () => {
    for (const [later, outcome] of [
      [65, 'read'],
      [66, 'duplicate'],
    ] as const) {
      const { alice, bob } = pair();
      const late = alice.write(bob, 'late');
      exchange(alice, bob, later);
      expect(bob.refusal(late)).toBe(outcome);
    }
  });

  it('rotation and refill make whole prekeys', () => {
    const { world, alice, bob } = pair();
    world.now += 8 * DAY;
    const { prekeyLength } = crypto.suites[suite];
    const update = bob.lime.update(bob.device, []);
    for (const prekey of [update.signedPrekey!, ...update.oneTimePrekeys]) {
      expect(prekey.publicKey.length).toBe(prekeyLength);
      expect(crypto.suites[suite].isValidPrekey(prekey.publicKey)).toBe(true);
    }
    const { publicKey, signature } = update.signedPrekey!;
    expect(signatures.verify(bob.identityKey, publicKey, signature)).toBe(true);
    // The replaced one is still good for what is under way.
    exchange(alice, bob);
  });
});

it('the numbers of LIME 5.4, for hybrid sessions only', () => {
  const settings = limeSettings();
  expect(hybridSettings(settings)).toMatchObject({
    sendingChainMessages: 500,
    skippedKeysPerMessage: 512,
    skippedChainMessages: 64,
    kemStepMessages: 42,
    kemStepEveryMs: DAY,
  });
  expect(settings.sendingChainMessages).toBe(1000);
});
