import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, NODES_CHANNEL, type NodeMessage } from '@sealwire/wire/node-messages';
import { AGAIN_MS, type Announcer, createAnnouncer, MOST_WAITING } from './announce.ts';
import { silentLog } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';

const ADDRESS = parseAccountAddress('sip:alice@example.org');
const deviceOf = (number: number) => parseDeviceId(`sip:alice@example.org;gr=urn:uuid:${number}`);
const DEVICE = deviceOf(1);

let sent: NodeMessage[];
let logged: string[];
let attempts: number;
let refuses: boolean;
let due: [number, () => void] | undefined;
let metrics: Metrics;
let announcer: Announcer;

beforeEach(() => {
  sent = [];
  logged = [];
  attempts = 0;
  refuses = false;
  due = undefined;
  metrics = createMetrics();
  const note = (event: string) => void logged.push(event);
  announcer = createAnnouncer({
    bus: {
      async publish(channel, bytes) {
        attempts++;
        if (refuses) throw new Error('gone');
        expect(channel).toBe(NODES_CHANNEL);
        sent.push(decodeNodeMessage(bytes));
      },
    },
    log: { ...silentLog, warn: note, info: note },
    metrics,
    after(delayMs, run) {
      due = [delayMs, run];
      return () => {
        due = undefined;
      };
    },
  });
});

/** Lets the time pass until it tries again. */
async function again(): Promise<void> {
  const [delayMs, run] = due ?? [0, () => {}];
  expect(delayMs).toBe(AGAIN_MS);
  due = undefined;
  run();
  await new Promise((resolve) => setImmediate(resolve));
}

describe('announcements', () => {
  it('go to all nodes: one for each removed device, one for the account', async () => {
    await announcer.devicesRemoved([DEVICE]);
    await announcer.devicesChanged(ADDRESS);
    await announcer.manifestPublished(ADDRESS, 2, [DEVICE]);
    expect(sent).toEqual([
      { kind: 'device-removed', device: DEVICE },
      { kind: 'devices-changed', address: ADDRESS, version: 0, devices: [] },
      { kind: 'devices-changed', address: ADDRESS, version: 2, devices: [DEVICE] },
    ]);
    expect([logged, due]).toEqual([[], undefined]);
  });

  it('E07: never reject; what the bus refuses is told again until it takes it, and logged once', async () => {
    refuses = true;
    await announcer.devicesRemoved([DEVICE, deviceOf(2)]);
    await announcer.devicesChanged(ADDRESS);
    await again();
    await again();
    expect(logged).toEqual(['announcements-refused']);
    refuses = false;
    await again();
    expect(sent).toEqual([
      { kind: 'device-removed', device: DEVICE },
      { kind: 'device-removed', device: deviceOf(2) },
      { kind: 'devices-changed', address: ADDRESS, version: 0, devices: [] },
    ]);
    expect(logged).toEqual(['announcements-refused', 'announcements-taken']);
    expect(due).toBeUndefined();
    await announcer.devicesChanged(ADDRESS);
    expect(sent).toHaveLength(4);
  });

  it('B08: wait at once behind those that wait, an attempt a round for all; of an account the newest manifest', async () => {
    refuses = true;
    await announcer.manifestPublished(ADDRESS, 2, [DEVICE]);
    for (let version = 3; version < 100; version++) await announcer.manifestPublished(ADDRESS, version, [DEVICE]);
    await announcer.devicesChanged(ADDRESS);
    expect(attempts).toBe(1);
    await again();
    expect(attempts).toBe(2);
    refuses = false;
    await again();
    expect(sent).toEqual([{ kind: 'devices-changed', address: ADDRESS, version: 99, devices: [DEVICE] }]);
  });

  it('B08: wait in a bounded room: the oldest are forgotten, and counted', async () => {
    refuses = true;
    await announcer.devicesRemoved([deviceOf(0)]);
    await announcer.devicesRemoved(Array.from({ length: MOST_WAITING + 2 }, (_, i) => deviceOf(i + 1)));
    refuses = false;
    await again();
    while (sent.length < MOST_WAITING) await new Promise((resolve) => setImmediate(resolve));
    expect(sent[0]).toEqual({ kind: 'device-removed', device: deviceOf(3) });
    expect(await metrics.text()).toContain('sealwire_bus_faults_total{fault="dropped"} 3');
  });

  it('what changes while it is told is told again', async () => {
    refuses = true;
    await announcer.manifestPublished(ADDRESS, 2, [DEVICE]);
    refuses = false;
    due![1]();
    await announcer.devicesChanged(ADDRESS);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toHaveLength(2);
  });

  it('are not told any more when the server ends', async () => {
    refuses = true;
    await announcer.devicesRemoved([DEVICE]);
    announcer.stop();
    await announcer.devicesRemoved([DEVICE]);
    expect(due).toBeUndefined();
  });
});
