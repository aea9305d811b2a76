/** An account that gets another key, by a code of its operator: everything of the key before is cut off in the same transaction. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Announcer } from '@sealwire/service/announce';
import type { Log } from '@sealwire/service/log';
import { Problem } from '@sealwire/service/problem';
import { type Account, KeyTakenError, type Store, StoreError } from '@sealwire/store/port';
import type { ResetAccountBody } from '@sealwire/wire/http';
import { addressOf } from '@sealwire/wire/ids';
import type { z } from 'zod';
import { firstManifest } from '../accounts/first-manifest.ts';
import { resetHash, resetNumber } from './reset-codes.ts';

export interface ResetServiceDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly announcer: Announcer;
  readonly now: () => number;
  readonly log: Log;
  readonly domain: string;
}

export class ResetService {
  constructor(private readonly deps: ResetServiceDeps) {}

  /**
   * Idempotent: the same body again finds the account that the first one made. `reset-code-invalid` also for a name that nobody has. What
   * contacts see is another account key, and nothing else: there is no way by which it changes without that.
   */
  async reset(body: z.output<typeof ResetAccountBody>): Promise<{ account: Account; done: boolean }> {
    const { store, crypto, announcer, log, domain } = this.deps;
    const now = this.deps.now();
    const address = addressOf(body.name, domain);
    const manifest = firstManifest(crypto, address, body);
    const before = await store.accounts.find(address);
    if (!before) throw new Problem('reset-code-invalid');
    const hash = resetHash(crypto, before, body.code);
    const account: Account = { address, accountKey: body.accountKey, createdAt: now };
    const first = { version: 1, bytes: body.manifest.manifest, signature: body.manifest.signature };
    const [devices = []] = await store.devices.list([address]);
    const terms = { from: before.accountKey, code: { hash, now } };
    const outcome = await store.accounts.reset(account, first, manifest.devices, terms).catch(throwProblem);
    if (outcome === 'exists') return { account: before, done: false };
    log.warn('account-reset', { request: resetNumber(hash), count: devices.length });
    await announcer.devicesRemoved(devices.map(({ id }) => id));
    await announcer.devicesChanged(address);
    return { account, done: true };
  }
}

function throwProblem(error: unknown): never {
  if (error instanceof KeyTakenError)
    throw new Problem('conflict', { detail: 'a key that another account uses: make new ones' }, { cause: error });
  if (!(error instanceof StoreError)) throw error;
  if (error.kind === 'not-found') throw new Problem('reset-code-invalid', {}, { cause: error });
  if (error.kind !== 'conflict') throw error;
  throw new Problem(
    'conflict',
    { detail: 'the account key or a device id was used before: make new ones' },
    { cause: error },
  );
}
