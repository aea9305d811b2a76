/**
 * What one message to many devices costs its sender: CPU a device, bytes that leave, bytes that are saved before they leave.
 *
 *   npm run bench:group -w packages/client        (--devices=10,100,300 --suites=c25519,c448,c25519mlk512,c448mlk1024)
 *
 * 1 KiB of text to accounts of ten devices each: `Lime.encrypt` and the frames that the SDK packs (docs/spec/client.md section 5). *First*
 * is to strangers, whose bundles are at hand; *again* is the next one to devices that have not answered; *steady* is to devices that have.
 * CPU is this process's, the median of rounds that take turns with the raw peer of `raw.ts`.
 */
import { randomBytes } from 'node:crypto';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { SuiteName } from '@sealwire/crypto/port';
import { Lime, type PeerBundle } from '@sealwire/lime/lime';
import type { LimeChange } from '@sealwire/lime/store';
import { MemoryLimeStore } from '@sealwire/lime/testing/memory-store';
import { encodeEnvelope } from '@sealwire/wire/envelope';
import {
  type AccountAddress,
  accountOf,
  type DeviceId,
  parseAccountAddress,
  parseDeviceId,
  parseMessageId,
} from '@sealwire/wire/ids';
import { sendFrames } from '../src/messages/send-frames.ts';
import { rawBundle, rawFirst, rawSteady } from './raw.ts';

const DEVICES_PER_ACCOUNT = 10;
const PLAINTEXT = randomBytes(1_024);
const GROUP = parseAccountAddress('sip:group@chat.example.org');
const ROUNDS = 7;
const NOW = 1_800_000_000_000;

const random = (length: number) => new Uint8Array(randomBytes(length));
const crypto = nodeCrypto();
const listed = (name: string, otherwise: string) =>
  (process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise).split(',');
const sizes = listed('devices', '10,100,300').map(Number);
const suites = listed('suites', 'c25519,c448,c25519mlk512,c448mlk1024') as SuiteName[];

/** Counts what must be durable before a frame leaves. */
class CountingStore extends MemoryLimeStore {
  saves = 0;
  bytes = 0;

  override save(changes: readonly LimeChange[]): void {
    this.saves += 1;
    for (const { value } of changes) this.bytes += value?.length ?? 0;
    super.save(changes);
  }
}

interface Device {
  readonly id: DeviceId;
  readonly lime: Lime;
  readonly store: CountingStore;
  readonly bundle: PeerBundle;
}

function makeDevice(suite: SuiteName, account: AccountAddress, number: number): Device {
  const uuid = `01234567-89ab-4def-8123-${String(number).padStart(12, '0')}`;
  const id = parseDeviceId(`${account};gr=urn:uuid:${uuid}`);
  const store = new CountingStore();
  const lime = new Lime({ crypto, store, random, now: () => NOW, settings: { oneTimePrekeysAtRegistration: 1 } });
  const { identityKey, signedPrekey, oneTimePrekeys } = lime.createDevice(id, suite);
  lime.activateDevice(id);
  return {
    id,
    lime,
    store,
    bundle: { device: id, bundle: { identityKey, signedPrekey, oneTimePrekey: oneTimePrekeys[0] } },
  };
}

function makeSender(suite: SuiteName): Device {
  return makeDevice(suite, parseAccountAddress('sip:sender@chat.example.org'), 1);
}

interface Sent {
  /** One a frame. */
  readonly frames: readonly Uint8Array[];
  readonly parts: readonly { readonly device: DeviceId; readonly content: Uint8Array }[];
  readonly cipherMessage: Uint8Array;
}

function send(from: Device, to: readonly Device[], bundles: readonly PeerBundle[] = []): Sent {
  const recipients = to.map(({ id }) => id);
  const sent = from.lime.encrypt(from.id, { recipientUser: GROUP, recipients, plaintext: PLAINTEXT, bundles });
  const { cipherMessage } = sent;
  const parts = sent.recipients.map(({ device, message }) => ({ device, content: message! }));
  const body = encodeEnvelope({ engine: 'lime', recipientUser: GROUP, cipherMessage });
  const terms = { relayId: parseMessageId(random(16)), own: accountOf(from.id), isOwnServed: false };
  return { frames: sendFrames({ ...terms, body, parts }), parts, cipherMessage };
}

/** Each device reads what `sent` has for it, and answers. */
function answer(from: Device, to: readonly Device[], { parts, cipherMessage }: Sent): void {
  for (const [i, device] of to.entries()) {
    const message = parts[i]!.content;
    device.lime.decrypt(device.id, { sender: from.id, recipientUser: GROUP, message, cipherMessage });
    const answered = device.lime.encrypt(device.id, {
      recipientUser: GROUP,
      recipients: [from.id],
      plaintext: PLAINTEXT,
    });
    from.lime.decrypt(from.id, {
      sender: device.id,
      recipientUser: GROUP,
      message: answered.recipients[0]!.message!,
      cipherMessage: answered.cipherMessage,
    });
  }
}

/** Microseconds of this process. */
function cpuOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

interface Figures {
  /** A device, µs. */
  readonly micros: number;
  /** Median of the ratios of neighbouring rounds. */
  readonly ratio: number;
  readonly sent: Sent;
  readonly savedBytes: number;
}

/** `prepare` gives each round what it needs, before its clock starts; `times`: so often that a round takes some milliseconds. */
function measure(
  devices: number,
  times: number,
  prepare: () => Device,
  ours: (from: Device) => Sent,
  raw: () => void,
): Figures {
  const costs: number[] = [];
  const ratios: number[] = [];
  let sent: Sent | undefined;
  let savedBytes = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const senders = Array.from({ length: times }, prepare);
    const cost = cpuOf(() => {
      for (const from of senders) {
        const before = from.store.bytes;
        sent = ours(from);
        savedBytes = from.store.bytes - before;
      }
    });
    const bare = cpuOf(() => {
      for (let i = 0; i < times; i++) raw();
    });
    // The first one warms up.
    if (round === 0) continue;
    costs.push(cost / times / devices);
    ratios.push(cost / bare);
  }
  return { micros: median(costs), ratio: median(ratios), sent: sent!, savedBytes };
}

function row(name: string, { micros, ratio, sent, savedBytes }: Figures): void {
  const { frames, parts, cipherMessage } = sent;
  const wire = frames.reduce((sum, { length }) => sum + length, 0);
  const cells = [
    micros.toFixed(1).padStart(9),
    ratio.toFixed(2).padStart(7),
    String(parts[0]!.content.length).padStart(6),
    String(frames.length).padStart(7),
    String(wire).padStart(9),
    (wire / parts.length).toFixed(0).padStart(8),
    ((parts.length * cipherMessage.length + parts.reduce((sum, { content }) => sum + content.length, 0)) / 1_024)
      .toFixed(0)
      .padStart(9),
    (savedBytes / 1_024).toFixed(0).padStart(9),
  ];
  console.log(`${name.padEnd(28)}${cells.join('')}`);
}

console.log(`node ${process.version}, 1 KiB to accounts of ${DEVICES_PER_ACCOUNT} devices\n`);
console.log(`${''.padEnd(28)}   µs/dev  to raw  part  frames    bytes  bytes/dev  KiB down KiB saved`);
const rawBundles = Array.from({ length: Math.max(...sizes) }, () =>
  rawBundle().export({ format: 'der', type: 'spki' }),
);
for (const suite of suites) {
  const all = Array.from({ length: Math.max(...sizes) }, (_, i) =>
    makeDevice(suite, parseAccountAddress(`sip:user${Math.floor(i / DEVICES_PER_ACCOUNT)}@chat.example.org`), i),
  );
  const from = makeSender(suite);
  answer(
    from,
    all,
    send(
      from,
      all,
      all.map(({ bundle }) => bundle),
    ),
  );
  for (const devices of sizes) {
    const to = all.slice(0, devices);
    const bundles = to.map(({ bundle }) => bundle);
    const stranger = () => makeSender(suite);
    const first = (sender: Device) => send(sender, to, bundles);
    const unanswered = () => {
      const sender = stranger();
      first(sender);
      return sender;
    };
    const times = Math.max(1, Math.round(300 / devices));
    const rawOnes = rawBundles.slice(0, devices);
    row(
      `${suite}, ${devices}: first`,
      measure(devices, 1, stranger, first, () => rawFirst(PLAINTEXT, rawOnes)),
    );
    row(
      `${suite}, ${devices}: again`,
      measure(
        devices,
        1,
        unanswered,
        (sender) => send(sender, to),
        () => rawSteady(PLAINTEXT, devices),
      ),
    );
    row(
      `${suite}, ${devices}: steady`,
      measure(
        devices,
        times,
        () => from,
        (sender) => send(sender, to),
        () => rawSteady(PLAINTEXT, devices),
      ),
    );
  }
}
