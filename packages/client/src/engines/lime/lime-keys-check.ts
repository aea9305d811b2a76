/**
 * What the directory holds of this device on one suite, compared with what it should hold, and mended (docs/spec/client.md section 8): a
 * directory that was restored from a backup, lost a write, or mixed up devices heals within a day. Case D15.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import type { Lime } from '@sealwire/lime/lime';
import type { DeviceId } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../../storage/ledger.ts';
import type { EngineContext, KeysFinding } from '../engine.ts';
import { LimeDirectory } from './lime-directory.ts';

export interface LimeKeysCheckOptions {
  readonly me: DeviceId;
  readonly suite: SuiteName;
  readonly context: EngineContext;
  readonly lime: (records: Records | Transaction) => Lime;
}

/** Undefined when all is well. What was found has been mended, but for the identity key. Throws `ClientError`. */
export async function checkLimeKeys(options: LimeKeysCheckOptions): Promise<KeysFinding | undefined> {
  const { me, suite, context, lime } = options;
  const directory = new LimeDirectory(suite, context);
  const held = await directory.ownOneTimePrekeys();
  if (held === 'unknown-device') return registerAgain(options, directory, 'registration');
  const own = lime(context.records).publishedKeys(me);
  const openable = new Set(own.oneTimePrekeyIds);
  const oneTimePrekeyIds = held.filter((id) => openable.has(id));
  const differences = await context.compareKeys(suite, { ...own, oneTimePrekeyIds });
  // Somebody poses as this device, or the directory is broken beyond what we can know: overwriting it would hide that.
  if (differences.includes('identityKey')) return { suite, part: 'identityKey', mended: false };
  if (differences.includes('registration')) return registerAgain(options, directory, 'registration');
  if (oneTimePrekeyIds.length < held.length) {
    // Whoever is given one of these writes what we cannot read. They go with the registration only.
    await directory.delete();
    return registerAgain(options, directory, 'oneTimePrekeys');
  }
  if (differences.includes('signedPrekey')) {
    await directory.postSignedPrekey(own.signedPrekey);
    return { suite, part: 'signedPrekey', mended: true };
  }
  // One-time prekeys alone: one was given out between the two questions. An empty pool, as that of a restored server, is filled at once.
  if (held.length === 0) await refill(options, directory);
  return undefined;
}

async function refill({ me, context, lime }: LimeKeysCheckOptions, directory: LimeDirectory): Promise<void> {
  const { oneTimePrekeys, signedPrekey } = await context.commit((transaction) => lime(transaction).update(me, []));
  if (oneTimePrekeys.length > 0) await directory.postOneTimePrekeys(oneTimePrekeys);
  if (signedPrekey) await directory.postSignedPrekey(signedPrekey);
}

async function registerAgain(
  { me, suite, context, lime }: LimeKeysCheckOptions,
  directory: LimeDirectory,
  part: KeysFinding['part'],
): Promise<KeysFinding> {
  await directory.register(await context.commit((transaction) => lime(transaction).registrationOf(me)));
  return { suite, part, mended: true };
}
