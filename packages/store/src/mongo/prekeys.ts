/** LIME key material: one document for what a device registered on a suite. */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { trusted } from 'mongoose';
import { type OneTimePrekey, type PrekeyBundle, type Prekeys, type SignedPrekey, StoreError } from '../port.ts';
import { isSameBundle, isSameBytes } from '../sameness.ts';
import { finishAccount, readAccount } from './account-row.ts';
import { bin, bytesOf, DIGEST_LENGTH, hashOf } from './bytes.ts';
import type { AccountDocument, PrekeyDocument } from './documents.ts';
import { isDuplicate, together } from './engine.ts';
import type { Ground } from './ground.ts';
import { claimKeys, releaseKeys } from './key-owners.ts';
import { pause } from './pause.ts';
import { dropWithoutKeys } from './waiting-list.ts';

type OneTimeFields = PrekeyDocument['oneTime'][number];

const MOST_ROUNDS = 40;

export function mongoPrekeys(ground: Ground): Prekeys {
  const { engine, documents } = ground;

  async function requireKeys(device: DeviceId): Promise<void> {
    if ((await existing(ground, [device])).has(device)) return;
    throw new StoreError('not-found', 'no such device');
  }

  /** Those of them that are listed or wait. */
  async function bundlesOf(suite: ServedSuite, devices: readonly DeviceId[]): Promise<Map<DeviceId, PrekeyDocument>> {
    const there = [...(await existing(ground, devices))];
    const found = await engine.read(() =>
      documents.prekeys
        .find({ _id: trusted({ $in: there.map((device) => nameOf(device, suite)) }) }, { bundle: 1 })
        .lean<PrekeyDocument[]>()
        .exec(),
    );
    return new Map(found.map((one) => [one._id.slice(0, -suite.length - 1) as DeviceId, one]));
  }

  /** The device's oldest one-time key, gone for good, and the bundle as of that moment. */
  async function claimOne(suite: ServedSuite, device: DeviceId, now: number): Promise<PrekeyBundle | undefined> {
    const oldest = (field: string) => ({ $arrayElemAt: [`$oneTime.${field}`, 0] });
    const before = await engine.write(() =>
      documents.prekeys
        .findOneAndUpdate(
          { _id: nameOf(device, suite), 'oneTime.0': trusted({ $exists: true }) },
          [
            {
              $set: {
                rev: { $add: ['$rev', 1] },
                claimed: { $concatArrays: ['$claimed', [{ id: oldest('id'), digest: oldest('digest'), at: now }]] },
                oneTime: { $slice: ['$oneTime', 1, 100_000] },
              },
            },
          ],
          { returnDocument: 'before', updatePipeline: true },
        )
        .lean<PrekeyDocument>()
        .exec(),
    );
    if (before) return bundleOut(before, before.oneTime[0]);
    const without = await engine.read(() =>
      documents.prekeys.findById(nameOf(device, suite), { bundle: 1 }).lean<PrekeyDocument>().exec(),
    );
    return without ? bundleOut(without) : undefined;
  }

  return {
    async register(device, suite, bundle, oneTime) {
      await requireListed(ground, device);
      const result = await storeRegistration(ground, device, suite, bundle, oneTime);
      // Finished by this, or given to others meanwhile: one of the two.
      if (lists(await finishAccount(ground, accountOf(device)), device)) return result;
      await dropPrekeys(ground, device, suite);
      throw new StoreError('not-found', 'no such device');
    },

    async replaceSignedPrekey(device, suite, signedPrekey) {
      await requireKeys(device);
      let replaced: Buffer | undefined;
      const rev = await changePrekeys(ground, device, suite, async (before) => {
        const bundle = requireBundle(before);
        const next = { field: suite, rev: before.rev + 1 };
        await claimKeys(ground, [{ owner: device, keys: [signedPrekey.publicKey] }], next);
        replaced = bundle.signedPrekey.publicKey;
        return { bundle: { ...bundle, signedPrekey: signedFields(signedPrekey) } };
      });
      if (replaced && !isSameBytes(replaced, signedPrekey.publicKey))
        await releaseKeys(ground, device, [replaced], suite, rev);
    },

    async addOneTime(device, suite, keys, { maximum, now }) {
      await requireKeys(device);
      await changePrekeys(ground, device, suite, async (before) => {
        requireBundle(before);
        const claimed = before.claimed.filter(({ at }) => at >= now - LIMITS.claimedPrekeyMemoryMs.value);
        const fresh = newKeys({ ...before, claimed }, keys);
        if (before.oneTime.length + fresh.length > maximum)
          throw new StoreError(
            'limit',
            `at most ${maximum} one-time keys are held, ${before.oneTime.length} are there`,
          );
        return { oneTime: [...before.oneTime, ...fresh], claimed };
      });
    },

    async listOneTime(device, suite) {
      await requireKeys(device);
      const found = await readPrekeys(ground, device, suite);
      requireBundle(found ?? nothing(device, suite));
      return found!.oneTime.map(({ id }) => id);
    },

    async find(suite, devices) {
      const found = await bundlesOf(suite, devices);
      return devices.map((device) => {
        const one = found.get(device);
        return one && bundleOut(one);
      });
    },

    async claim(suite, devices, now) {
      const there = await existing(ground, devices);
      // One after the other where a device is named twice; several devices side by side.
      const turns = new Map<DeviceId, Promise<PrekeyBundle | undefined>>();
      return together(
        devices.map((device) => {
          if (!there.has(device)) return undefined;
          const before = turns.get(device) ?? Promise.resolve(undefined);
          const turn = before.then(() => claimOne(suite, device, now));
          turns.set(device, turn);
          return turn;
        }),
      );
    },

    async delete(device, suite) {
      await dropPrekeys(ground, device, suite);
      await dropWithoutKeys(ground, device);
    },
  };
}

/** Whoever calls has made sure that the device is there, and looks again afterwards. */
export async function storeRegistration(
  ground: Ground,
  device: DeviceId,
  suite: ServedSuite,
  bundle: PrekeyBundle,
  oneTime: readonly OneTimePrekey[],
): Promise<'registered' | 'same'> {
  let result: 'registered' | 'same' = 'registered';
  await changePrekeys(ground, device, suite, async (before) => {
    if (before.bundle) {
      if (!isSameBundle(bundleOut(before)!, bundle))
        throw new StoreError('conflict', 'the device has registered other keys on this suite');
      result = 'same';
      return undefined;
    }
    const keys = [bundle.identityKey, bundle.signedPrekey.publicKey];
    const fresh = newKeys({ ...before, oneTime: [] }, oneTime);
    await claimKeys(ground, [{ owner: device, keys }], { field: suite, rev: before.rev + 1 });
    result = 'registered';
    return {
      bundle: { identityKey: bin(bundle.identityKey), signedPrekey: signedFields(bundle.signedPrekey) },
      oneTime: fresh,
    };
  });
  return result;
}

/** What was handed out stays known. */
export async function dropPrekeys(ground: Ground, device: DeviceId, suite: ServedSuite): Promise<void> {
  const { engine, documents } = ground;
  const before = await engine.write(() =>
    documents.prekeys
      .findOneAndUpdate(
        { _id: nameOf(device, suite), bundle: trusted({ $exists: true }) },
        { $inc: { rev: 1 }, $set: { oneTime: [] }, $unset: { bundle: 1 } },
        { returnDocument: 'before' },
      )
      .lean<PrekeyDocument>()
      .exec(),
  );
  if (!before?.bundle) return;
  const keys = [before.bundle.identityKey, before.bundle.signedPrekey.publicKey];
  await releaseKeys(ground, device, keys, suite, before.rev + 1);
}

/** Decides on what is there until nobody changed it meanwhile; its `rev` then. Undefined: no change is wanted. */
async function changePrekeys(
  ground: Ground,
  device: DeviceId,
  suite: ServedSuite,
  decide: (before: PrekeyDocument) => Promise<Partial<PrekeyDocument> | undefined>,
): Promise<number> {
  const { engine, documents } = ground;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = (await readPrekeys(ground, device, suite)) ?? nothing(device, suite);
    const changes = await decide(before);
    if (!changes) return before.rev;
    const rev = before.rev + 1;
    try {
      if (before.rev === 0) {
        await engine.write(() => documents.prekeys.create([{ ...before, ...changes, rev }]));
        return rev;
      }
      const { _id } = before;
      const { matchedCount } = await engine.write(() =>
        documents.prekeys.updateOne({ _id, rev: before.rev }, { $set: { ...changes, rev } }).exec(),
      );
      if (matchedCount === 1) return rev;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    await pause(round);
  }
  throw new StoreError('unavailable', 'others changed the keys of the device again and again');
}

function readPrekeys(
  { engine, documents }: Ground,
  device: DeviceId,
  suite: ServedSuite,
): Promise<PrekeyDocument | null> {
  return engine.read(() => documents.prekeys.findById(nameOf(device, suite)).lean<PrekeyDocument>().exec());
}

/** Those of the devices that are listed, or wait. */
async function existing({ engine, documents }: Ground, devices: readonly DeviceId[]): Promise<Set<DeviceId>> {
  const addresses = [...new Set(devices.map(accountOf))];
  const accounts = await engine.read(() =>
    documents.accounts
      .find({ _id: trusted({ $in: addresses }) }, { 'devices.id': 1, 'waiting.id': 1 })
      .lean<Pick<AccountDocument, 'devices' | 'waiting'>[]>()
      .exec(),
  );
  const there = new Set(accounts.flatMap((account) => [...account.devices, ...account.waiting].map(({ id }) => id)));
  return new Set(devices.filter((device) => there.has(device)));
}

function lists(account: AccountDocument | null, device: DeviceId): boolean {
  return account?.devices.some(({ id }) => id === device) ?? false;
}

async function requireListed(ground: Ground, device: DeviceId): Promise<void> {
  if (!lists(await readAccount(ground, accountOf(device)), device)) throw new StoreError('not-found', 'no such device');
}

function requireBundle({ bundle }: PrekeyDocument): NonNullable<PrekeyDocument['bundle']> {
  if (!bundle) throw new StoreError('not-found', 'the device has not registered keys on this suite');
  return bundle;
}

/** Those of `keys` that are neither held nor handed out. `conflict` when an id is known with other bytes. */
function newKeys({ oneTime, claimed }: PrekeyDocument, keys: readonly OneTimePrekey[]): OneTimeFields[] {
  const known = new Map([...claimed, ...oneTime].map(({ id, digest }) => [id, digest]));
  const fresh: OneTimeFields[] = [];
  for (const { id, publicKey } of keys) {
    const digest = hashOf(publicKey, DIGEST_LENGTH);
    const before = known.get(id);
    if (before && !isSameBytes(before, digest))
      throw new StoreError('conflict', `one-time key ${id} is known with other bytes`);
    if (before) continue;
    known.set(id, digest);
    fresh.push({ id, publicKey: bin(publicKey), digest });
  }
  return fresh;
}

function nothing(device: DeviceId, suite: ServedSuite): PrekeyDocument {
  return { _id: nameOf(device, suite), rev: 0, oneTime: [], claimed: [] };
}

function nameOf(device: DeviceId, suite: ServedSuite): string {
  return `${device} ${suite}`;
}

function signedFields({
  id,
  publicKey,
  signature,
}: SignedPrekey): NonNullable<PrekeyDocument['bundle']>['signedPrekey'] {
  return { id, publicKey: bin(publicKey), signature: bin(signature) };
}

function bundleOut({ bundle }: PrekeyDocument, oneTime?: OneTimeFields): PrekeyBundle | undefined {
  if (!bundle) return undefined;
  const { id, publicKey, signature } = bundle.signedPrekey;
  return {
    identityKey: bytesOf(bundle.identityKey),
    signedPrekey: { id, publicKey: bytesOf(publicKey), signature: bytesOf(signature) },
    ...(oneTime && { oneTimePrekey: { id: oneTime.id, publicKey: bytesOf(oneTime.publicKey) } }),
  };
}
