/**
 * What LIME costs, as microseconds of this process and as ratios to the bare model in the same run:
 *
 *   npm run bench -w packages/lime
 *
 * Every message is 1 KiB, goes through `Lime.encrypt` and `Lime.decrypt`, and both ends save their state each time.
 */
import { randomBytes } from 'node:crypto';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { Lime, type PeerBundle, type PublicPrekey, type Registration } from '../src/lime.ts';
import type { Policy } from '../src/messages/policy.ts';
import type { LimeSettings } from '../src/settings.ts';
import { MemoryLimeStore } from '../src/testing/memory-store.ts';
import { bareKey, barePair, bareSetUp } from './bare-model.ts';

const KIB = 1024;
const PLAINTEXT = randomBytes(KIB);
const BOUND = randomBytes(120);
const USER = 'sip:bob@example.org';

interface Device {
  readonly lime: Lime;
  readonly id: DeviceId;
  readonly registration: Registration;
  readonly prekeys: PublicPrekey[];
}

function device(
  crypto: CryptoProvider,
  suite: SuiteName,
  name: string,
  oneTimePrekeysAtRegistration = 1,
  overrides: Partial<LimeSettings> = {},
): Device {
  const id = `sip:${name}@example.org;gr=urn:uuid:${name}` as DeviceId;
  const random = (length: number) => new Uint8Array(randomBytes(length));
  const settings = { oneTimePrekeysAtRegistration, ...overrides };
  const lime = new Lime({ crypto, store: new MemoryLimeStore(), random, now: () => 1_800_000_000_000, settings });
  const registration = lime.createDevice(id, suite);
  lime.activateDevice(id);
  return { lime, id, registration, prekeys: [...registration.oneTimePrekeys] };
}

function bundle({ id, registration, prekeys }: Device): PeerBundle {
  const { identityKey, signedPrekey } = registration;
  return { device: id, bundle: { identityKey, signedPrekey, oneTimePrekey: prekeys.pop() } };
}

function send(from: Device, to: Device, bundles: PeerBundle[] = []): void {
  const sent = from.lime.encrypt(from.id, {
    recipientUser: USER,
    recipients: [to.id],
    plaintext: PLAINTEXT,
    policy: 'DRMessage',
    bundles,
  });
  const { message } = sent.recipients[0]!;
  to.lime.decrypt(to.id, {
    sender: from.id,
    recipientUser: USER,
    message: message!,
    cipherMessage: sent.cipherMessage,
  });
}

/** Microseconds a call: the best of five rounds, which is the one least disturbed by the machine's other work. */
function cost(calls: number, run: () => void): number {
  for (let i = 0; i < Math.min(calls, 300); i += 1) run();
  const rounds = Array.from({ length: 5 }, () => {
    const { user, system } = process.cpuUsage();
    for (let i = 0; i < calls; i += 1) run();
    const after = process.cpuUsage();
    return (after.user - user + after.system - system) / calls;
  });
  return Math.min(...rounds);
}

function row(what: string, microseconds: number, model?: number): void {
  const ratio = model === undefined ? '' : `   ${(microseconds / model).toFixed(2)} × bare model`;
  const perSecond = Math.round(1e6 / microseconds).toLocaleString('en');
  console.log(`${what.padEnd(58)} ${microseconds.toFixed(1).padStart(9)} us ${perSecond.padStart(9)} /s${ratio}`);
}

function models(): { chain: number; step: number; setUp: number } {
  const [a, b] = barePair();
  b.decrypt(a.encrypt(PLAINTEXT, BOUND), BOUND);
  const chain = cost(2000, () => b.decrypt(a.encrypt(PLAINTEXT, BOUND), BOUND));
  let [from, to] = [b, a];
  const step = cost(500, () => {
    from.newChain();
    to.decrypt(from.encrypt(PLAINTEXT, BOUND), BOUND);
    [from, to] = [to, from];
  });
  const alice = bareKey();
  const bob = { identity: bareKey(), signed: bareKey(), oneTime: bareKey() };
  const setUp = cost(200, () => {
    const [sender, receiver] = bareSetUp(alice, bob);
    receiver.decrypt(sender.encrypt(PLAINTEXT, BOUND), BOUND);
  });
  row('bare model, X25519: encrypt + decrypt', chain);
  row('bare model, X25519: with a ratchet step a message', step);
  row('bare model, X25519: set-up and first message, no signature', setUp);
  return { chain, step, setUp };
}

function dialogue(crypto: CryptoProvider, suite: SuiteName, calls: number, model?: ReturnType<typeof models>): void {
  const title = `${crypto.name}, ${suite}`;
  const [alice, bob] = [device(crypto, suite, 'alice'), device(crypto, suite, 'bob')];
  send(alice, bob, [bundle(bob)]);
  send(bob, alice);
  let sent = 0;
  const chain = cost(calls, () => {
    // An answer now and then, as in life: a sending chain ends after a thousand messages without one.
    if (++sent % 500 === 0) send(bob, alice);
    send(alice, bob);
  });
  row(`${title}: encrypt + decrypt`, chain, model?.chain);
  let [from, to] = [bob, alice];
  const step = cost(Math.ceil(calls / 5), () => {
    send(from, to);
    [from, to] = [to, from];
  });
  row(`${title}: with a ratchet step a message`, step, model?.step);
  const rounds = Math.max(10, Math.ceil(calls / 40));
  // Strangers, made before the clock starts: what is measured is the first message to each, written and read.
  const strangers = Array.from({ length: 6 * rounds }, (_, i) => device(crypto, suite, `stranger${i}`));
  const setUp = cost(rounds, () => {
    const stranger = strangers.pop()!;
    send(alice, stranger, [bundle(stranger)]);
  });
  row(`${title}: set-up and first message, both sides`, setUp, model?.setUp);
}

/** Every message makes a KEM step: what one costs, and what it adds to a message. */
function kemSteps(crypto: CryptoProvider, suite: SuiteName): void {
  const settings = { kemStepMessages: -1 };
  let [from, to] = [device(crypto, suite, 'alice', 1, settings), device(crypto, suite, 'bob', 1, settings)];
  send(from, to, [bundle(to)]);
  [from, to] = [to, from];
  const step = cost(200, () => {
    send(from, to);
    [from, to] = [to, from];
  });
  row(`${crypto.name}, ${suite}: with a KEM step a message`, step);
}

function fanOut(crypto: CryptoProvider, suite: SuiteName): void {
  const sender = device(crypto, suite, 'sender');
  const others = Array.from({ length: 100 }, (_, i) => device(crypto, suite, `device${i}`));
  const recipients = others.map(({ id }) => id);
  const toAll = (policy: Policy, length: number, bundles: PeerBundle[] = []) => {
    const sent = sender.lime.encrypt(sender.id, {
      recipientUser: USER,
      recipients,
      plaintext: randomBytes(length),
      policy,
      bundles,
    });
    return sent.recipients.reduce((sum, { message }) => sum + message!.length, sent.cipherMessage.length);
  };
  toAll('cipherMessage', KIB, others.map(bundle));
  for (const length of [KIB, 64 * KIB]) {
    const [seed, direct] = (['cipherMessage', 'DRMessage'] as const).map((policy) => {
      // Each round begins new sending chains: a thousand messages without an answer end a session.
      const bytes = toAll(policy, length);
      const microseconds = cost(15, () => toAll(policy, length));
      row(
        `${crypto.name}, ${suite}: ${length / KIB} KiB to 100 devices, ${policy} (${Math.round(bytes / KIB)} KiB out)`,
        microseconds,
      );
      return microseconds;
    });
    console.log(`  the seed form costs ${(seed! / direct!).toFixed(2)} of 100 full encryptions`);
  }
}

console.log(`node ${process.version}, CPU time`);
const node = nodeCrypto();
const bare = models();
dialogue(node, 'c25519', 2000, bare);
dialogue(node, 'c448', 500);
for (const suite of ['c25519mlk512', 'c448mlk1024'] as const) {
  dialogue(node, suite, 400);
  kemSteps(node, suite);
}
fanOut(node, 'c25519');
dialogue(nobleCrypto(), 'c25519', 100);
