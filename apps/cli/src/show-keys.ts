/** An account's keys, for people to compare and for programs. */
import type { PeerInfo } from '@sealwire/client/events';
import { fingerprint } from './fingerprint.ts';

/** The account key signs the list of devices, so that comparing it compares all of them. */
export function keysOf({ address, accountKey, devices, shownKey, certified }: PeerInfo): string {
  const lines = devices.flatMap(({ id, identities, trust, lime }) => [
    `  ${id}  (${trust}${lime ? ', a LIME device that its owner admitted' : ''})`,
    ...identities.map(({ suite, identityKey }) => `    ${suite}  ${fingerprint(identityKey)}`),
  ]);
  const other = shownKey ? [`  account key that the server shows now  ${fingerprint(shownKey)}`] : [];
  const word = certified === undefined ? '' : certified ? '  (certified)' : '  (not certified)';
  return [`${address}`, `  account key  ${fingerprint(accountKey)}${word}`, ...other, ...lines].join('\n');
}

export function keysRecord({ address, accountKey, devices, shownKey, certified }: PeerInfo): Record<string, unknown> {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    address,
    accountKey: hex(accountKey),
    ...(shownKey && { shownKey: hex(shownKey) }),
    ...(certified !== undefined && { certified }),
    devices: devices.map(({ id, trust, lime, identities }) => ({
      id,
      trust,
      ...(lime && { lime }),
      identities: identities.map(({ suite, identityKey }) => ({ curve: suite, identityKey: hex(identityKey) })),
    })),
  };
}
