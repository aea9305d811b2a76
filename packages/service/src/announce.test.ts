import { describe, expect, it } from '@jest/globals';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, NODES_CHANNEL } from '@sealwire/wire/node-messages';
import { createAnnouncer } from './announce.ts';
import { silentLog } from './observe/log.ts';

const ADDRESS = parseAccountAddress('sip:alice@example.org');
const DEVICE = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');

describe('announcements', () => {
  it('go to all nodes: one for each removed device, one for the account', async () => {
    const sent: [string, unknown][] = [];
    const announcer = createAnnouncer(
      { publish: async (channel, bytes) => void sent.push([channel, decodeNodeMessage(bytes)]) },
      silentLog,
    );
    await announcer.devicesRemoved([DEVICE]);
    await announcer.devicesChanged(ADDRESS);
    await announcer.manifestPublished(ADDRESS, 2, [DEVICE]);
    expect(sent).toEqual([
      [NODES_CHANNEL, { kind: 'device-removed', device: DEVICE }],
      [NODES_CHANNEL, { kind: 'devices-changed', address: ADDRESS, version: 0, devices: [] }],
      [NODES_CHANNEL, { kind: 'devices-changed', address: ADDRESS, version: 2, devices: [DEVICE] }],
    ]);
  });

  it('never reject: a lost one is logged', async () => {
    const warned: string[] = [];
    const log = { ...silentLog, warn: (event: string) => void warned.push(event) };
    const announcer = createAnnouncer({ publish: () => Promise.reject(new Error('gone')) }, log);
    await announcer.devicesChanged(ADDRESS);
    expect(warned).toEqual(['announcement-lost']);
  });
});
