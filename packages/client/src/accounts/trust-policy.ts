/**
 * Whom this device sends to (docs/spec/verification.md section 6): everyone, or trusted devices alone, in all conversations or in one.
 * Table `policy`, key `policy/CONVERSATION`; `policy/*` for all conversations without a policy of their own.
 */
import { type AccountAddress, accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { Ledger, Records } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { type PeerRecord, trustIn } from './peer-record.ts';

/** `everyone`: to whoever a contact's signed list names, as long as nobody of them is unsafe. `trusted-only`: to trusted devices alone. */
const TRUST_POLICIES = ['everyone', 'trusted-only'] as const;
export type TrustPolicy = (typeof TRUST_POLICIES)[number];

const TABLE = 'policy/';
const GENERAL = '*';

/**
 * Throws `untrusted-device`, with its name, when `conversation`, `peer` itself or a group, is for trusted devices and one of `devices` that
 * are of `peer` is not. Our own other devices are not asked about: our own account key signs them.
 */
export function refuseUntrusted(
  records: Records,
  own: AccountAddress,
  conversation: AccountAddress,
  peer: PeerRecord,
  devices: readonly { readonly id: DeviceId }[] = peer.manifest.devices,
): void {
  const untrusted = untrustedOf(records, own, conversation, peer, devices)[0];
  if (!untrusted) return;
  const name = nameOf(peer.address);
  const text = `a device of ${name} is not trusted (${untrusted.id}), and only trusted devices are sent to: verify ${name}, or change the policy`;
  throw new ClientError('untrusted-device', text);
}

/** Those of `devices` for which `refuseUntrusted` throws. */
export function untrustedOf<Device extends { readonly id: DeviceId }>(
  records: Records,
  own: AccountAddress,
  conversation: AccountAddress,
  peer: PeerRecord,
  devices: readonly Device[],
): Device[] {
  if (peer.address === own || policyOf(records, conversation) === 'everyone') return [];
  return devices.filter(({ id }) => accountOf(id) === peer.address && trustIn(peer, id) !== 'trusted');
}

function policyOf(records: Records, conversation?: AccountAddress): TrustPolicy {
  const own = conversation && records.get(TABLE + conversation);
  const stored = own ?? records.get(TABLE + GENERAL);
  return stored ? decodeRecord<{ policy: TrustPolicy }>(stored).header.policy : 'everyone';
}

/** The application's side of it. */
export class ClientTrustPolicy {
  readonly #ledger: Ledger;
  readonly #addressOf: (to: string) => AccountAddress;

  constructor(ledger: Ledger, addressOf: (to: string) => AccountAddress) {
    this.#ledger = ledger;
    this.#addressOf = addressOf;
  }

  /** Of the conversation with `to`; without it: of all that have none of their own. Throws `bad-address`. */
  get(to?: string): TrustPolicy {
    return policyOf(this.#ledger, to === undefined ? undefined : this.#addressOf(to));
  }

  /** Those that have a policy of their own. */
  conversations(): AccountAddress[] {
    const names = this.#ledger.keys(TABLE).map((key) => key.slice(TABLE.length));
    return names.filter((name) => name !== GENERAL) as AccountAddress[];
  }

  /**
   * Durable when it resolves. What is encrypted already still goes; what waits is judged by the new policy. Throws `bad-address`, and
   * `bad-request` for a policy that there is not.
   */
  async set(policy: TrustPolicy, to?: string): Promise<void> {
    if (!TRUST_POLICIES.includes(policy))
      throw new ClientError('bad-request', `a trust policy is one of ${TRUST_POLICIES.join(', ')}`);
    const name = to === undefined ? GENERAL : this.#addressOf(to);
    await this.#ledger.commit((transaction) => transaction.set(TABLE + name, encodeRecord({ policy })));
  }
}
