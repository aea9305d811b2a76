/**
 * Which devices the user's word and policy keep from a message (docs/spec/verification.md section 6): unsafe ones always, untrusted ones
 * where only trusted devices are sent to, all of an account that the deployment's authority has not certified.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { KeptOutReason } from '../events.ts';
import { refuseUnsafe } from '../messages/fan-out.ts';
import type { Records } from '../storage/ledger.ts';
import type { DeviceAuthority } from './device-authority.ts';
import { type PeerRecord, trustIn } from './peer-record.ts';
import { refuseUntrusted, untrustedOf } from './trust-policy.ts';

/** What becomes of a message of which devices are kept out: nobody gets it, or the others do. */
export const ON_KEPT_OUT = ['refuse', 'leave-out'] as const;
export type OnKeptOut = (typeof ON_KEPT_OUT)[number];

const REFUSALS = ['unsafe-device', 'untrusted-device', 'uncertified-account'];

export interface KeptOutOptions {
  readonly records: Records;
  readonly own: AccountAddress;
  /** Undefined: nobody is asked for a certificate. */
  readonly authority: DeviceAuthority | undefined;
  readonly refresh: (account: AccountAddress) => Promise<PeerRecord>;
}

interface Addressee {
  readonly peer: PeerRecord;
  /** Those of its devices that the message would be for. */
  readonly devices: readonly { readonly id: DeviceId }[];
}

interface KeptOut {
  readonly devices: readonly { readonly device: DeviceId; readonly reason: KeptOutReason }[];
  /** What a message is refused with that has nobody left to go to; undefined: nobody is kept out. */
  readonly refusal: ClientError | undefined;
}

/**
 * `isNews` of a group goes to whoever must know of it: only unsafe devices are kept out. Throws `unsafe-device`, `untrusted-device`,
 * `uncertified-account` by the choice `refuse`.
 */
export async function keptOut(
  { records, own, authority, refresh }: KeptOutOptions,
  onKeptOut: OnKeptOut,
  conversation: AccountAddress,
  addressees: readonly Addressee[],
  isNews = false,
): Promise<KeptOut> {
  const reasons = new Map<DeviceId, KeptOutReason>();
  let refusal: ClientError | undefined;
  const leaveOut = (error: unknown, reason: KeptOutReason, devices: Addressee['devices']) => {
    if (onKeptOut === 'refuse' || !(error instanceof ClientError && REFUSALS.includes(error.code))) throw error;
    refusal ??= error;
    for (const { id } of devices) if (!reasons.has(id)) reasons.set(id, reason);
  };
  for (const { peer, devices } of addressees)
    try {
      refuseUnsafe(peer, devices);
    } catch (error) {
      const unsafe = devices.filter(({ id }) => trustIn(peer, id) === 'unsafe');
      leaveOut(error, 'unsafe', unsafe);
    }
  for (const { peer, devices } of isNews ? [] : addressees) {
    try {
      refuseUntrusted(records, own, conversation, peer, devices);
    } catch (error) {
      leaveOut(error, 'untrusted', untrustedOf(records, own, conversation, peer, devices));
    }
    try {
      await authority?.requireCertified(peer, () => refresh(peer.address));
    } catch (error) {
      leaveOut(error, 'uncertified', devices);
    }
  }
  return { devices: [...reasons].map(([device, reason]) => ({ device, reason })), refusal };
}
