/** Our devices and genuine liblime 5.3 devices exchange messages, on both curves, through one key directory. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  decodeRequest,
  encodeAnswer,
  LIME_ERRORS,
  LIME_SUITES,
  type LimeAnswer,
  type LimePeer as LimePeerEntry,
} from '@sealwire/wire/lime-server';
import { base64, findPeer, fromBase64, LimePeer } from '../../../interop/lime-peer/lime-peer.mjs';
import type { Policy } from './messages/policy.ts';
import { bytes, type Letter, Person, World } from './testing/world.ts';

const POLICIES: readonly Policy[] = ['DRMessage', 'cipherMessage', 'optimizeUploadSize', 'optimizeGlobalBandwidth'];
const program = findPeer();
const peers: LimePeer[] = [];

/** The key server's side of the protocol, over the directory of a World. */
function keyServer(world: World, suite: SuiteName): (from: string, body: Uint8Array) => Uint8Array {
  const answer = (from: DeviceId, body: Uint8Array): LimeAnswer => {
    const request = decodeRequest(body);
    const entry = world.directory.get(from);
    const unknown = {
      kind: 'error',
      curveId: LIME_SUITES[suite].id,
      code: LIME_ERRORS.userNotFound,
      text: '',
    } as const;
    switch (request.kind) {
      case 'registerUser':
        world.register(from, { ...request, suite, oneTimePrekeys: [...request.oneTimePrekeys] });
        break;
      case 'deleteUser':
        world.directory.delete(from);
        break;
      case 'postOneTimePrekeys':
        entry!.oneTimePrekeys.push(...request.oneTimePrekeys);
        break;
      case 'getPeerBundle':
        return { kind: 'peerBundle', suite, peers: world.bundles(request.devices as DeviceId[]) as LimePeerEntry[] };
      case 'getSelfOneTimePrekeys':
        return entry ? { kind: 'selfOneTimePrekeys', suite, ids: world.heldOf(from) } : unknown;
      default:
        throw new Error(`unexpected ${request.kind}`);
    }
    return { kind: 'ack', suite, request: request.kind };
  };
  return (from, body) => encodeAnswer(answer(from as DeviceId, body));
}

/** One liblime device. */
class Genuine {
  constructor(
    readonly peer: LimePeer,
    readonly client: string,
    readonly device: DeviceId,
  ) {}

  async write(to: readonly { device: DeviceId }[], content: string, policy: Policy = 'DRMessage'): Promise<Letter[]> {
    const user = 'sip:group@example.org';
    const { recipients, cipher_message_b64 } = await this.peer.must({
      cmd: 'encrypt',
      client: this.client,
      from: this.device,
      recipient_user: user,
      to: to.map(({ device }) => device),
      plaintext_b64: base64(bytes(content)),
      policy,
    });
    const sent = recipients as { device: string; dr_message_b64: string }[];
    return to.map(({ device }) => ({
      from: this.device,
      user,
      message: fromBase64(sent.find((each) => each.device === device)!.dr_message_b64),
      cipherMessage: fromBase64(cipher_message_b64),
    }));
  }

  /** The plaintext, or liblime's `fail`. */
  async read({ from, user, message, cipherMessage }: Letter): Promise<string> {
    const answer = await this.peer.must({
      cmd: 'decrypt',
      client: this.client,
      device: this.device,
      from,
      recipient_user: user,
      dr_message_b64: base64(message),
      cipher_message_b64: base64(cipherMessage),
    });
    return answer.status === 'fail' ? 'fail' : new TextDecoder().decode(fromBase64(answer.plaintext_b64));
  }
}

async function meeting(suite: SuiteName, names: readonly string[]): Promise<{ world: World; genuine: Genuine[] }> {
  const world = new World();
  const peer = new LimePeer((program as { path: string }).path, {
    args: ['--delegate-http'],
    http: keyServer(world, suite),
  });
  peers.push(peer);
  const genuine: Genuine[] = [];
  for (const name of names) {
    const device = `sip:${name}@example.org;gr=urn:uuid:${name}` as DeviceId;
    await peer.must({ cmd: 'open', client: name, db: `:memory:` });
    await peer.must({ cmd: 'create_user', client: name, device, server: 'https://keys', curve: suite, opk_batch: 3 });
    genuine.push(new Genuine(peer, name, device));
  }
  return { world, genuine };
}

afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.quit();
});

const CASES: Record<string, (suite: SuiteName) => Promise<void>> = {
  'we begin: every policy, to two of theirs and one of ours, with answers': async (suite) => {
    const { world, genuine } = await meeting(suite, ['lina', 'lino']);
    const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
    for (const policy of POLICIES) {
      for (const content of ['', 'short', 'long '.repeat(100)]) {
        const everybody = [...genuine, bob] as Person[];
        const letters = alice.writeToAll(everybody, content, { policy });
        for (const [i, reader] of everybody.entries()) expect(await reader.read(letters[i]!)).toBe(content);
        for (const theirs of genuine) {
          const [answer] = await theirs.write([alice], `re: ${content}`, policy);
          expect(alice.read(answer!)).toBe(`re: ${content}`);
        }
      }
    }
  },

  'they begin, also when our one-time prekeys are used up': async (suite) => {
    const { world, genuine } = await meeting(suite, ['lina', 'lino', 'lisa', 'lola']);
    const alice = world.person('alice', suite);
    for (const theirs of genuine) {
      const [first, second] = [
        ...(await theirs.write([alice], 'one')),
        ...(await theirs.write([alice], 'two', 'cipherMessage')),
      ];
      expect([second, first].map((letter) => alice.read(letter!))).toEqual(['two', 'one']);
      expect(await theirs.read(alice.write(theirs as never, 'answer', { recipientUser: 'x' }))).toBe('answer');
    }
    expect(world.heldOf(alice.device)).toEqual([]);
    expect(alice.store.keys('init ')).toHaveLength(1);
  },

  'a long dialogue: chains, letters skipped, repeated, late, changed': async (suite) => {
    const { world, genuine } = await meeting(suite, ['lina']);
    const [alice, [lina]] = [world.person('alice', suite), genuine as [Genuine]];
    const late: Letter[] = [];
    for (let round = 0; round < 12; round += 1) {
      const ours = [0, 1, 2].map((i) => alice.write(lina as never, `a${round}.${i}`, { recipientUser: 'x' }));
      const order = round % 2 === 0 ? [2, 0] : [1, 2];
      for (const i of order) expect(await lina.read(ours[i]!)).toBe(`a${round}.${i}`);
      expect(await lina.read(ours[2]!)).toBe('fail');
      const theirs = [
        ...(await lina.write([alice], `l${round}.0`)),
        ...(await lina.write([alice], `l${round}.1`, 'cipherMessage')),
      ];
      expect(alice.read(theirs[1]!)).toBe(`l${round}.1`);
      expect(alice.refusal(theirs[1]!)).toBe('duplicate');
      late.push(theirs[0]!);
    }
    for (const [round, letter] of late.entries()) expect(alice.read(letter)).toBe(`l${round}.0`);
  },

  'both begin at once, and meet in one session': async (suite) => {
    const { world, genuine } = await meeting(suite, ['lina']);
    const [alice, [lina]] = [world.person('alice', suite), genuine as [Genuine]];
    const ours = alice.write(lina as never, 'hi lina', { recipientUser: 'x' });
    const [theirs] = await lina.write([alice], 'hi alice');
    expect([await lina.read(ours), alice.read(theirs!)]).toEqual(['hi lina', 'hi alice']);
    for (const round of ['one', 'two', 'three']) {
      expect(await lina.read(alice.write(lina as never, round, { recipientUser: 'x' }))).toBe(round);
      expect(alice.read((await lina.write([alice], round))[0]!)).toBe(round);
    }
    const hasInit = ({ message }: Letter) => message[1]! & 1;
    expect(
      [...(await lina.write([alice], 'x')), alice.write(lina as never, 'y', { recipientUser: 'x' })].map(hasInit),
    ).toEqual([0, 0]);
  },

  'a full sending chain each way: the thousandth is read first, and the next begins a new session': async (suite) => {
    const { world, genuine } = await meeting(suite, ['lina']);
    const [alice, [lina]] = [world.person('alice', suite), genuine as [Genuine]];
    const ours = Array.from({ length: 1001 }, (_, i) => alice.write(lina as never, `a${i}`, { recipientUser: 'x' }));
    for (const i of [999, 1000, 0, 500]) expect(await lina.read(ours[i]!)).toBe(`a${i}`);
    alice.read((await lina.write([alice], 'answer'))[0]!);
    const theirs: Letter[] = [];
    for (let i = 0; i < 1001; i += 1) theirs.push(...(await lina.write([alice], `l${i}`)));
    // The answer was the first of that chain.
    for (const i of [998, 1000, 0, 500]) expect(alice.read(theirs[i]!)).toBe(`l${i}`);
  },

  'they use what our update posts, and refuse a changed identity of ours': async (suite) => {
    const { world, genuine } = await meeting(suite, ['lina']);
    const [alice, [lina]] = [world.person('alice', suite), genuine as [Genuine]];
    world.directory.get(alice.device)!.oneTimePrekeys = [];
    const { oneTimePrekeys } = alice.lime.update(alice.device, []);
    world.directory.get(alice.device)!.oneTimePrekeys.push(...oneTimePrekeys);
    expect(alice.read((await lina.write([alice], 'with a fresh prekey'))[0]!)).toBe('with a fresh prekey');

    const elsewhere = new World();
    elsewhere.person('first', suite);
    const impostor = elsewhere.person('alice', suite);
    const stolen = impostor.lime.registrationOf(impostor.device);
    world.register(alice.device, stolen);
    await lina.peer.must({ cmd: 'stale_sessions', client: 'lina', device: lina.device, peer: alice.device });
    await expect(lina.write([alice], 'to whom?')).rejects.toThrow();
  },
};

describe.each<SuiteName>(['c25519', 'c448'])('liblime 5.3 and we, on %s', (suite) => {
  for (const [title, run] of Object.entries(CASES)) {
    if ('missing' in program) it.skip(`${title} (skipped: the peer is ${program.missing})`, () => run(suite));
    else it(title, () => run(suite), 60_000);
  }
});
