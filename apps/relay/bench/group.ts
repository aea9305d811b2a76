/**
 * Fan-out: one sender, many devices that are all there. `ours` gets what the SDK sends for LIME on Curve25519 once everybody has answered
 * (a body of 1 KiB, 87 bytes for each device, ten devices an account); the peer is the broadcast that the documentation of `ws` shows.
 */
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { BenchClient } from './client.ts';
import { ackFrame } from './frame-template.ts';
import { maskedFrame, patchUint32 } from './frames-by-hand.ts';
import { MeasuredServer } from './measured-server.ts';
import { median } from './measurements.ts';
import type { ServerKind } from './protocol.ts';
import { closeAll } from './sockets.ts';

export const GROUP_SIZES = [10, 100, 300];
const BODY_BYTES = 1_024;
/** Of a Double Ratchet message on Curve25519 that carries a seed (docs/spec/lime.md): header 39, seed 32, tag 16. */
const PART_BYTES = 87;
const DEVICES_PER_ACCOUNT = 10;
const ACK_EVERY_MESSAGES = 32;
const WARM_UP_ROUNDS = 4;
const ROUNDS = 9;
/** Deliveries of a round. */
const DELIVERIES = 6_000;

export interface GroupFigures {
  readonly devices: number;
  /** CPU microseconds of the server a delivery, medians. */
  readonly ours: number;
  readonly bare: number;
  /** Median of the ratios of neighbouring rounds. */
  readonly ratio: number;
  /** Of our relay's store, a message: durable writes of the message itself, and of what its recipients acknowledge. */
  readonly appends: number;
  readonly acknowledges: number;
  /** That the sender's frame has. */
  readonly frameBytes: number;
}

/** One message at a time to all of `clients`. */
class Broadcast {
  #sent = 0;
  #left = 0;
  #done = () => {};
  readonly frameBytes: number;
  readonly #frame: Buffer;
  readonly #payloadAt: number;
  readonly #idAt: number;
  readonly #from: BenchClient;
  readonly #to: readonly BenchClient[];

  constructor(from: BenchClient, to: readonly BenchClient[], devices: readonly string[]) {
    this.#from = from;
    this.#to = to;
    const body = new Uint8Array(BODY_BYTES).map((_, i) => (i * 31) & 0xff);
    const id = new Uint8Array(16).fill(0xee) as MessageId;
    const content = new Uint8Array(PART_BYTES).fill(0x5a);
    const parts = devices.map((device) => ({ device: device as DeviceId, content }));
    const payload =
      devices.length === 0
        ? body
        : encodeClientFrame({ kind: 'send', id, body, parts, allDevices: true, ownElsewhere: false });
    this.frameBytes = payload.length;
    ({ frame: this.#frame, payloadAt: this.#payloadAt } = maskedFrame(payload));
    this.#idAt = devices.length === 0 ? 0 : Buffer.from(payload).indexOf(Buffer.from(id));
    from.events = { accepted: (count) => this.#arrived(count), delivered: () => {} };
    for (const client of to) {
      let unacknowledged = 0;
      client.events = {
        accepted: () => {},
        delivered: (seq) => {
          if (seq > 0 && ++unacknowledged >= ACK_EVERY_MESSAGES) {
            unacknowledged = 0;
            client.socket.write(ackFrame(seq));
          }
          this.#arrived(1);
        },
      };
    }
  }

  /** Resolves when it is accepted and everywhere. */
  send(): Promise<void> {
    patchUint32(this.#frame, this.#payloadAt, this.#idAt, ++this.#sent);
    this.#left = this.#to.length + 1;
    this.#from.socket.write(Buffer.from(this.#frame));
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  #arrived(count: number): void {
    this.#left -= count;
    if (this.#left === 0) this.#done();
  }
}

/** Both servers live side by side; rounds alternate. */
export async function groupFigures(sizes: readonly number[]): Promise<GroupFigures[]> {
  const figures: GroupFigures[] = [];
  for (const devices of sizes) figures.push(await figuresOf(devices));
  return figures;
}

async function figuresOf(count: number): Promise<GroupFigures> {
  const servers = { ours: await MeasuredServer.start('ours'), bare: await MeasuredServer.start('broadcast') };
  const ask = { ask: 'devices', perAccount: DEVICES_PER_ACCOUNT } as const;
  const { devices: [sender] = [] } = await servers.ours.ask({ ...ask, prefix: 'sender', count: 1, perAccount: 1 });
  const { devices = [] } = await servers.ours.ask({ ...ask, prefix: 'member', count });
  const open = (kind: ServerKind, server: MeasuredServer) =>
    Promise.all([sender!, ...devices].map((who, i) => BenchClient.open(server.port, kind, kind === 'ours' ? who : i)));
  const clients = { ours: await open('ours', servers.ours), bare: await open('broadcast', servers.bare) };
  const loads = {
    ours: new Broadcast(
      clients.ours[0]!,
      clients.ours.slice(1),
      devices.map(({ device }) => device),
    ),
    bare: new Broadcast(clients.bare[0]!, clients.bare.slice(1), []),
  };
  const messages = Math.ceil(DELIVERIES / count);
  const costs: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  const calls: { readonly append: number; readonly acknowledge: number }[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++)
    for (const kind of ['ours', 'bare'] as const) {
      const before = await servers[kind].cpuMicros();
      const called = kind === 'ours' ? (await servers.ours.ask({ ask: 'calls' })).calls : undefined;
      for (let i = 0; i < messages; i++) await loads[kind].send();
      const cost = ((await servers[kind].cpuMicros()) - before) / messages / count;
      if (round < WARM_UP_ROUNDS) continue;
      costs[kind].push(cost);
      const after = kind === 'ours' ? (await servers.ours.ask({ ask: 'calls' })).calls : undefined;
      if (called && after)
        calls.push({
          append: (after.append - called.append) / messages,
          acknowledge: (after.acknowledge - called.acknowledge) / messages,
        });
    }
  await Promise.all([closeAll(clients.ours), closeAll(clients.bare)]);
  await Promise.all([servers.ours.end(), servers.bare.end()]);
  return {
    devices: count,
    ours: median(costs.ours),
    bare: median(costs.bare),
    ratio: median(costs.ours.map((cost, i) => cost / (costs.bare[i] ?? Number.NaN))),
    appends: median(calls.map(({ append }) => append)),
    acknowledges: median(calls.map(({ acknowledge }) => acknowledge)),
    frameBytes: loads.ours.frameBytes,
  };
}
