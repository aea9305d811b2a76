/** An account and its devices as documents, and as the port has them. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Account, Device, StoredManifest } from '../port.ts';
import { keysOfDevice } from '../sameness.ts';
import { bin, bytesOf } from './bytes.ts';
import type { AccountDocument, DeviceFields, LeavingFields, ManifestFields } from './documents.ts';

/** What an account that begins is, whatever was at its address. */
export function newAccount({ accountKey, createdAt }: Account, manifest: StoredManifest, devices: readonly Device[]) {
  return {
    state: 'active',
    accountKey: bin(accountKey),
    createdAt,
    manifest: manifestFields(manifest),
    devices: devices.map(deviceFields),
    appPasswords: [],
  } as const;
}

export function leavingOf({ rev }: AccountDocument, device: DeviceFields): LeavingFields {
  return { id: device.id, keys: keysOfDevice(deviceOut(device)).map(bin), rev };
}

/** All that leaves with the account. */
export function allOf(account: AccountDocument): LeavingFields[] {
  const { _id: id, rev, devices, waiting, accountKey } = account;
  return [
    ...devices.map((device) => leavingOf(account, device)),
    ...waiting.map((waits) => ({ id: waits.id, keys: [], rev })),
    { id, keys: accountKey ? [accountKey] : [], rev },
  ];
}

export function manifestFields({ version, bytes, signature }: StoredManifest): ManifestFields {
  return { version, bytes: bin(bytes), signature: bin(signature) };
}

export function manifestOut({ version, bytes, signature }: ManifestFields): StoredManifest {
  return { version, bytes: bytesOf(bytes), signature: bytesOf(signature) };
}

export function deviceFields({ id, identities, loginKey, addedAt }: Device): DeviceFields {
  const fields = identities.map(({ suite, identityKey }) => ({ suite, identityKey: bin(identityKey) }));
  return { id, identities: fields, loginKey: bin(loginKey), addedAt };
}

export function deviceOut({ id, identities, loginKey, addedAt }: DeviceFields): Device {
  const out = identities.map(({ suite, identityKey }) => ({ suite, identityKey: bytesOf(identityKey) }));
  return {
    id: id as DeviceId,
    identities: out as unknown as Device['identities'],
    loginKey: bytesOf(loginKey),
    addedAt,
  };
}
