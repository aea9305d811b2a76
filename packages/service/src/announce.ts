/** What the API and the directory tell all nodes after a commit. Wake-up calls: a lost one makes a node slower to notice, never wrong. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { encodeNodeMessage, NODES_CHANNEL, type NodeMessage } from '@sealwire/wire/node-messages';
import type { Log } from './observe/log.ts';

/** The half of the bus that this needs. */
export interface Publisher {
  publish(channel: string, message: Uint8Array): Promise<void>;
}

export interface Announcer {
  /** Each of these devices is gone: close its sockets. */
  devicesRemoved(devices: readonly DeviceId[]): Promise<void>;
  devicesChanged(address: AccountAddress): Promise<void>;
  /** The same, by a manifest of `version`, of which `devices` are told. */
  manifestPublished(address: AccountAddress, version: number, devices: readonly DeviceId[]): Promise<void>;
}

/** Never rejects: the change is committed, and the caller's answer must say so whatever the bus does. */
export function createAnnouncer(bus: Publisher, log: Log): Announcer {
  async function announce(message: NodeMessage): Promise<void> {
    try {
      await bus.publish(NODES_CHANNEL, encodeNodeMessage(message));
    } catch (error) {
      log.warn('announcement-lost', { reason: message.kind, error });
    }
  }
  return {
    async devicesRemoved(devices) {
      await Promise.all(devices.map((device) => announce({ kind: 'device-removed', device })));
    },
    devicesChanged: (address) => announce({ kind: 'devices-changed', address, version: 0, devices: [] }),
    manifestPublished: (address, version, devices) => announce({ kind: 'devices-changed', address, version, devices }),
  };
}
