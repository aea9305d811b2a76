/**
 * Many devices at once: accounts with signed manifests are written straight into the store of a server that does not run yet, and
 * tokens are signed with the key in its data folder. What a fault test then does to the relay, it does to devices as good as any.
 */
import { join } from 'node:path';
import { AUDIENCES, createTokenSigner } from '@sealwire/access/tokens';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { loadOrCreateSecret } from '@sealwire/service/secret-file';
import { openStore } from '@sealwire/store/open';
import type { Store } from '@sealwire/store/port';
import { type AccountAddress, addressOf, type DeviceId, parseAccountName, parseDeviceId } from '@sealwire/wire/ids';
import { encodeManifest, manifestSigningInput, noPreviousManifest } from '@sealwire/wire/manifest';
import type { ServerProcess } from './server-process.ts';

const DOMAIN = 'localhost';
const TOKEN_KEY_BYTES = 32;
const SEED_BYTES = 32;

export interface Inhabitant {
  readonly address: AccountAddress;
  readonly device: DeviceId;
  /** Good for fifteen minutes, for all services. */
  readonly token: string;
}

export function openStoreOf(server: ServerProcess): Promise<Store> {
  return openStore(`lmdb:${join(server.folder, 'store')}`);
}

/** `accounts` accounts of `devicesEach` devices; account by account in the answer. `server` must not run. */
export async function populate(server: ServerProcess, accounts: number, devicesEach: number): Promise<Inhabitant[]> {
  const crypto = nodeCrypto();
  const tokenKey = loadOrCreateSecret(join(server.folder, 'secrets', 'token.key'), TOKEN_KEY_BYTES, systemRandom);
  const tokens = createTokenSigner({ seed: tokenKey, issuer: server.origin, now: Date.now });
  const newKey = () => crypto.ed25519.publicKey(systemRandom(SEED_BYTES));
  const store = await openStoreOf(server);
  const inhabitants: Inhabitant[] = [];
  for (let number = 0; number < accounts; number++) {
    const address = addressOf(parseAccountName(`person-${number}`), DOMAIN);
    const createdAt = Date.now();
    const devices = Array.from({ length: devicesEach }, (_, i) => ({
      id: parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`),
      identities: [{ suite: 'c25519' as const, identityKey: newKey() }],
      loginKey: newKey(),
      addedAt: createdAt,
    }));
    const accountSeed = systemRandom(SEED_BYTES);
    const accountKey = crypto.ed25519.publicKey(accountSeed);
    const previous = noPreviousManifest();
    const bytes = encodeManifest({ address, version: 1, previous, issuedAt: createdAt, devices });
    const signature = crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes));
    await store.accounts.create({ address, accountKey, createdAt }, { version: 1, bytes, signature }, devices);
    for (const { id } of devices) {
      const { token } = await tokens.sign(id, AUDIENCES);
      inhabitants.push({ address, device: id, token });
    }
  }
  await store.close();
  return inhabitants;
}
