/** Who gets a message: the devices of two verified manifests, and never one more (cases E06, S37, S45, S49). */
import { type AccountAddress, accountOf, type DeviceId, domainOf, nameOf } from '@sealwire/wire/ids';
import type { ManifestDevice } from '@sealwire/wire/manifest';
import { type PeerRecord, trustIn } from '../accounts/peer-record.ts';
import type { EngineDevice } from '../engines/engine.ts';
import { ClientError } from '../errors.ts';

export interface FanOut {
  readonly recipients: readonly ManifestDevice[];
  /** Our own other devices. */
  readonly copies: readonly ManifestDevice[];
}

/**
 * `peers`: the accounts that get it; none for a note to self. `gone`: devices that the server has cut off already, though their account's
 * manifest still names them. Whom policy keeps out of it is `keptOut`'s to say. Throws `other-domain`.
 */
export function fanOut(
  peers: readonly PeerRecord[],
  own: PeerRecord,
  me: DeviceId,
  gone: ReadonlySet<DeviceId>,
): FanOut {
  for (const { address } of peers) refuseOtherDomain(address, own.address);
  const present = ({ id }: EngineDevice) => id !== me && !gone.has(id);
  const copies = own.manifest.devices.filter(present);
  const recipients = peers.flatMap(({ manifest }) => manifest.devices.filter(present));
  return { recipients, copies };
}

/** Throws `other-domain`: servers tell each other lists of devices and keys, and no messages. */
function refuseOtherDomain(address: AccountAddress, own: AccountAddress): void {
  if (domainOf(address) !== domainOf(own))
    throw new ClientError(
      'other-domain',
      `${address} is on another server, and messages do not travel between servers yet: only its devices and keys can be seen`,
    );
}

/** Throws `unknown-account` when the account of a pair has none of `recipients`. */
export function refuseNobody(peer: PeerRecord, recipients: readonly EngineDevice[]): void {
  if (recipients.length > 0) return;
  throw new ClientError(
    'unknown-account',
    `${nameOf(peer.address)} has no device left: there is nobody to read the message`,
  );
}

/** Those of `devices` that their accounts' manifests name: who gets a receipt. Throws `unsafe-device`. */
export function among(accounts: readonly PeerRecord[], own: AccountAddress, devices: readonly DeviceId[]): FanOut {
  const named = accounts.map((account) => {
    const present = account.manifest.devices.filter(({ id }) => devices.includes(id));
    refuseUnsafe(account, present);
    return { address: account.address, present };
  });
  const of = (isOwn: boolean) => named.flatMap(({ address, present }) => ((address === own) === isOwn ? present : []));
  return { recipients: of(false), copies: of(true) };
}

/** Throws `unsafe-device` when the user or a changed key made one of `devices` unsafe. */
export function refuseUnsafe(
  account: PeerRecord,
  devices: readonly { readonly id: DeviceId }[] = account.manifest.devices,
): void {
  const unsafe = devices.find(({ id }) => trustIn(account, id) === 'unsafe');
  if (unsafe) throw unsafeDevice(account.address, unsafe.id);
}

function unsafeDevice(address: AccountAddress, device: DeviceId): ClientError {
  return new ClientError(
    'unsafe-device',
    `a device of ${nameOf(address)} is unsafe (${device}): nothing is sent until you trust it again or accept its new key`,
  );
}

/** The server asks for a copy that nobody signed for. */
export function ghostDevice(device: DeviceId): ClientError {
  return new ClientError(
    'ghost-device',
    `the server wants a copy for a device that ${nameOf(accountOf(device))} never signed (${device}): nothing is sent; ask the operator`,
  );
}
