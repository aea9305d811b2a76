/**
 * Who is connected, and to which node: asked of all nodes over the bus, as a node that starts asks (docs/adr/0016-who-is-where.md). What a
 * node does not answer in time is not counted: a look, not an inventory.
 */

import type { Bus } from '@sealwire/bus/port';
import type { RandomBytes } from '@sealwire/crypto/port';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, encodeNodeMessage, NODES_CHANNEL, nodeChannel } from '@sealwire/wire/node-messages';
import { z } from 'zod';
import { type AdminOperation, operation } from './operation.ts';

/** Nodes answer in milliseconds. */
const LISTEN_MS = 700;
const MOST = 1_000;
const ID_BYTES = 8;
/** Of the relay's session numbers: so many a millisecond. */
const NUMBERS_PER_MS = 4_096;

export interface SessionsDeps {
  readonly bus: Pick<Bus, 'publish' | 'subscribe'>;
  readonly random: RandomBytes;
  /** Resolves after so many ms. */
  readonly pause?: (ms: number) => Promise<void>;
}

interface Connected {
  readonly device: DeviceId;
  readonly node: string;
  /** ms since 1970, by the clock of its node. */
  readonly since: number;
}

export function sessionOperations(deps: SessionsDeps): readonly AdminOperation[] {
  return [
    operation('sessions list', {
      needs: 'viewer',
      body: z.strictObject({ filter: z.string().max(64).optional(), limit: z.int().min(0).max(MOST) }),
      async run({ filter, limit }) {
        const all = await connectedDevices(deps);
        const nodes: Record<string, number> = {};
        for (const { node } of all) nodes[node] = (nodes[node] ?? 0) + 1;
        const asked = all.filter(({ device }) => filter === undefined || accountOf(device).includes(filter));
        asked.sort((a, b) => (a.device < b.device ? -1 : 1));
        return { count: all.length, nodes, sessions: asked.slice(0, limit) };
      },
    }),
  ];
}

/** That receive. Rejects with `BusError`. */
async function connectedDevices({ bus, random, pause = pauseOf }: SessionsDeps): Promise<Connected[]> {
  const asker = `admin-${Buffer.from(random(ID_BYTES)).toString('hex')}`;
  const found = new Map<DeviceId, Connected & { readonly session: number }>();
  const subscription = await bus.subscribe(nodeChannel(asker), (bytes) => {
    const message = messageIn(bytes);
    if (message?.kind !== 'sessions-opened') return;
    for (const { device, session } of message.sessions) {
      const since = Math.floor(session / NUMBERS_PER_MS);
      // One that moves from node to node is where it came last.
      if ((found.get(device)?.session ?? -1) < session)
        found.set(device, { device, node: message.node, since, session });
    }
  });
  try {
    await bus.publish(NODES_CHANNEL, encodeNodeMessage({ kind: 'who-is-there', node: asker }));
    await pause(LISTEN_MS);
  } finally {
    await subscription.unsubscribe();
  }
  return [...found.values()].map(({ device, node, since }) => ({ device, node, since }));
}

function messageIn(bytes: Uint8Array) {
  try {
    return decodeNodeMessage(bytes);
  } catch {
    // Of another version: not counted.
    return undefined;
  }
}

function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
