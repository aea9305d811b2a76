/** Accounts: made with the manifest of their first device, shown to their devices, deleted for good. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Announcer } from '@sealwire/service/announce';
import { type DiskWatch, RETRY_UPLOADS_SECONDS } from '@sealwire/service/disk-watch';
import { Problem } from '@sealwire/service/problem';
import { type Account, type Device, KeyTakenError, type Store, StoreError } from '@sealwire/store/port';
import type { CreateAccountBody } from '@sealwire/wire/http';
import { type AccountAddress, accountOf, addressOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { z } from 'zod';
import { firstManifest } from './first-manifest.ts';
import { invitationHash } from './invitations.ts';

export interface AccountServiceDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly announcer: Announcer;
  readonly now: () => number;
  readonly domain: string;
  /** With any but `open` an account costs a use of an invitation; `email` also sends such. */
  readonly gate: 'open' | 'invitation' | 'email';
  readonly disks?: Pick<DiskWatch, 'refusesAccount'> | undefined;
}

type NewAccount = z.output<typeof CreateAccountBody>;

export class AccountService {
  constructor(private readonly deps: AccountServiceDeps) {}

  /**
   * Idempotent: the same body again finds the account that the first one made, whatever became of the invitation. The name of one that
   * nobody finished in a day (`Accounts.create` of the store) is free again.
   */
  async create(body: NewAccount): Promise<{ account: Account; created: boolean }> {
    const { store, crypto, domain, gate, announcer } = this.deps;
    const now = this.deps.now();
    const address = addressOf(body.name, domain);
    const manifest = firstManifest(crypto, address, body);
    if (gate !== 'open' && body.invitation === undefined) throw new Problem('invitation-invalid');
    await this.demandRoom(address);
    const account: Account = { address, accountKey: body.accountKey, createdAt: now };
    const stored = { version: 1, bytes: body.manifest.manifest, signature: body.manifest.signature };
    const devices: Device[] = manifest.devices.map((device) => ({ ...device }));
    const invitation = gate !== 'open' ? { hash: invitationHash(crypto, body.invitation!), now } : undefined;
    const unfinished = { now, afterMs: LIMITS.unfinishedAccountMs.value };
    // Whoever is there now is not any more once this account is made.
    const [before = []] = await store.devices.list([address]);
    let outcome: 'created' | 'exists';
    try {
      outcome = await store.accounts.create(account, stored, devices, invitation, unfinished);
    } catch (error) {
      if (error instanceof KeyTakenError)
        throw new Problem('conflict', { detail: 'a key that another account uses: make new ones' }, { cause: error });
      if (error instanceof StoreError && error.kind === 'conflict')
        throw new Problem('name-taken', {}, { cause: error });
      if (error instanceof StoreError && error.kind === 'not-found')
        throw new Problem('invitation-invalid', {}, { cause: error });
      throw error;
    }
    if (outcome === 'exists') return { account: (await store.accounts.find(address)) ?? account, created: false };
    await announcer.devicesRemoved(before.map(({ id }) => id));
    await announcer.devicesChanged(address);
    return { account, created: true };
  }

  /** For one that is not there yet: a repeat finds what its first attempt made. */
  private async demandRoom(address: Account['address']): Promise<void> {
    const { disks, store } = this.deps;
    if (!disks?.refusesAccount() || (await store.accounts.find(address))) return;
    const detail = 'the disk of this server is nearly full: new accounts wait until its operator makes room';
    throw new Problem('unavailable', { detail, retryAfterSeconds: RETRY_UPLOADS_SECONDS });
  }

  async ofDevice(device: DeviceId): Promise<Account> {
    const account = await this.deps.store.accounts.find(accountOf(device));
    if (!account) throw new Problem('not-found');
    return account;
  }

  /** Everything goes but the name, which stays taken. The token that asked is dead afterwards, since its device is gone (case I12). */
  async deleteOf(device: DeviceId): Promise<void> {
    await deleteAccount(this.deps, accountOf(device));
  }
}

/** Everything goes but the name; the nodes are told. Idempotent. */
export async function deleteAccount(
  { store, announcer, now }: Pick<AccountServiceDeps, 'store' | 'announcer' | 'now'>,
  address: AccountAddress,
): Promise<void> {
  const [devices = []] = await store.devices.list([address]);
  await store.accounts.delete(address, now());
  await announcer.devicesRemoved(devices.map(({ id }) => id));
  await announcer.devicesChanged(address);
}
