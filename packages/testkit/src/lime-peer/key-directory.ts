/**
 * Our key directory over a memory store, on a free port of the loopback, with its own tokens and roster: a device is listed with its
 * identity key first, as by its account's manifest, and registers after that.
 */

import { createAppPasswordVault } from '@sealwire/access/app-password-vault';
import { createTokenSigner, createTokenVerifier } from '@sealwire/access/tokens';
import { openMemoryBus } from '@sealwire/bus/memory';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { startDirectory } from '@sealwire/directory/start';
import { UNLIMITED } from '@sealwire/directory/testing/unlimited';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { listenOnLoopback, VERSION } from '@sealwire/service/testing/loopback';
import { openMemoryStore } from '@sealwire/store/memory';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type AccountAddress, accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import {
  decodeAnswer,
  encodeRequest,
  LIME_CONTENT_TYPE,
  type LimeAnswer,
  type LimeRequest,
} from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';

const ORIGIN = 'https://chat.example.org';
const START = Date.UTC(2026, 0, 1);

export interface KeyDirectory {
  /** Of the LIME endpoint. */
  readonly url: string;
  /** Makes the device's account with this device, or adds it to the account. A device that is listed stays as it is. */
  list(device: DeviceId, identities: readonly DeviceIdentity[]): Promise<void>;
  token(device: DeviceId): Promise<string>;
  /** User and app password of the device's account, which is made without devices if there is none. */
  appPassword(device: DeviceId): Promise<{ user: string; password: string }>;
  /** Bytes of a request by that device, over HTTP. Rejects when the status is not 200. */
  post(device: DeviceId, body: Uint8Array): Promise<Uint8Array>;
  ask(device: DeviceId, request: LimeRequest): Promise<LimeAnswer>;
  /** Its clock. */
  advance(ms: number): void;
  close(): Promise<void>;
}

export async function startKeyDirectory(settings: Partial<typeof UNLIMITED> = {}): Promise<KeyDirectory> {
  // Tokens do not run out: the directory's clock stands still, unless a test moves it.
  let time = START;
  const now = () => time;
  const store = openMemoryStore();
  const bus = openMemoryBus();
  const metrics = createMetrics();
  const signer = createTokenSigner({ seed: systemRandom(32), issuer: ORIGIN, now });
  const tokens = createTokenVerifier({ jwks: signer.jwks(), issuer: ORIGIN, now });
  const crypto = nodeCrypto();
  const appPasswordKey = systemRandom(32);
  const shared = { store, bus, crypto, random: systemRandom, now, log: silentLog, metrics, tokens, appPasswordKey };
  const door = await startDirectory({ ...shared, settings: { ...UNLIMITED, ...settings }, version: VERSION });
  const listening = await listenOnLoopback({ server: 'directory', door, log: silentLog, metrics, now });
  const { LIME_PATH: path = '/lime' } = settings;
  const url = path === '/' ? listening.url : `${listening.url}${path}`;

  const { DOMAIN: domain } = UNLIMITED;
  const md5 = settings.DIGEST_MD5 === 'on';
  const vault = createAppPasswordVault({
    crypto,
    random: systemRandom,
    key: appPasswordKey,
    domain,
    realm: domain,
    md5,
  });
  const passwords = new Map<AccountAddress, Promise<string>>();

  async function makePassword(address: AccountAddress): Promise<string> {
    const password = encodeBase64url(systemRandom(18));
    const manifest = { version: 1, bytes: Uint8Array.of(1), signature: new Uint8Array(64) };
    await store.accounts.create({ address, accountKey: systemRandom(32), createdAt: START }, manifest, []);
    const verifier = vault.seal({ address, id: 'liblime' }, password);
    await store.appPasswords.add(address, { id: 'liblime', name: 'liblime', createdAt: START, verifier }, 1);
    return password;
  }

  const token = async (device: DeviceId) => (await signer.sign(device, ['directory'])).token;

  async function post(device: DeviceId, body: Uint8Array): Promise<Uint8Array> {
    const headers = {
      authorization: `Bearer ${await token(device)}`,
      from: device,
      'content-type': LIME_CONTENT_TYPE,
    };
    const response = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) });
    if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  return {
    url,
    async list(device, identities) {
      const address = accountOf(device);
      const [listed = []] = await store.devices.list([address]);
      if (listed.some(({ id }) => id === device)) return;
      const version = listed.length + 1;
      const manifest = { version, bytes: Uint8Array.of(version), signature: new Uint8Array(64) };
      const added = { id: device, identities, loginKey: new Uint8Array(0), addedAt: START };
      const account = { address, accountKey: systemRandom(32), createdAt: START };
      if (version === 1) await store.accounts.create(account, manifest, [added]);
      else await store.manifests.publish(address, manifest, [...listed, added], START);
    },
    token,
    async appPassword(device) {
      const address = accountOf(device);
      const password = passwords.get(address) ?? makePassword(address);
      passwords.set(address, password);
      return { user: nameOf(address), password: await password };
    },
    post,
    ask: async (device, request) => decodeAnswer(await post(device, encodeRequest(request)), request.suite),
    advance(ms) {
      time += ms;
    },
    async close() {
      await listening.close();
      await bus.close();
      await store.close();
    },
  };
}
