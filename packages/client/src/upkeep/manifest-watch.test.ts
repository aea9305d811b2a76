/** When our own list of devices is looked at (docs/spec/client.md section 4); the directory is in the test's hands. */
import { describe, expect, it } from '@jest/globals';
import { parseAccountAddress } from '@sealwire/wire/ids';
import type { PeerRecord } from '../accounts/peer-record.ts';
import { ClientError } from '../errors.ts';
import { FakeTime, settle } from '../testing/fake-time.ts';
import { ManifestWatch } from './manifest-watch.ts';

const address = parseAccountAddress('sip:alice@example.org');

function setUp() {
  const time = new FakeTime();
  let version = 1;
  let asked = 0;
  let answer: (failure?: ClientError) => void = () => {};
  const record = () => ({ manifest: { version } }) as PeerRecord;
  const watch = new ManifestWatch({
    address,
    book: {
      refresh: () => {
        asked += 1;
        return new Promise((resolve, reject) => {
          answer = (failure) => (failure ? reject(failure) : resolve(record()));
        });
      },
    },
    manifests: { complete: async () => undefined },
    devices: { look: async () => undefined },
    timers: time,
    random: (length) => new Uint8Array(length).fill(255),
    trace: () => undefined,
  });
  return {
    time,
    watch,
    asked: () => asked,
    published: (next: number) => {
      version = next;
    },
    answered: async (now: number | ClientError) => {
      if (typeof now === 'number') version = now;
      answer(now instanceof ClientError ? now : undefined);
      await settle();
    },
  };
}

describe('the look at our own list of devices', () => {
  it('is at each connection, and at a hint of a version that is not known', async () => {
    const { watch, asked, answered } = setUp();
    watch.start();
    await settle();
    await answered(2);
    watch.hint(2);
    await settle();
    expect(asked()).toBe(1);
    watch.hint(3);
    await settle();
    expect(asked()).toBe(2);
    await answered(3);
    watch.stop();
    watch.start();
    await settle();
    expect(asked()).toBe(3);
  });

  it('is also at the hint of a version that this device has published itself: what it brings has not been told yet', async () => {
    const { watch, asked, answered, published } = setUp();
    watch.start();
    await settle();
    await answered(1);
    published(2);
    watch.hint(2);
    await settle();
    expect(asked()).toBe(2);
  });

  it('is one more after the one under way, however many hints come', async () => {
    const { watch, asked, answered } = setUp();
    watch.start();
    await settle();
    for (let version = 2; version < 10_000; version++) watch.hint(version);
    await answered(1);
    expect(asked()).toBe(2);
    await answered(9_999);
    expect(asked()).toBe(2);
  });

  it('is tried again after a failure that passes, and not once it is offline', async () => {
    const { watch, asked, answered, time } = setUp();
    watch.start();
    await settle();
    await answered(new ClientError('unreachable', 'no'));
    await time.pass(10_000);
    expect(asked()).toBe(2);
    await answered(new ClientError('unreachable', 'no'));
    watch.stop();
    await time.pass(10 * 60_000);
    expect(asked()).toBe(2);
    expect(time.pending).toBe(0);
  });

  it('waits for a hint where another device has to put it right', async () => {
    const { watch, asked, answered, time } = setUp();
    watch.start();
    await settle();
    await answered(new ClientError('manifest-rollback', 'lost'));
    await time.pass(60 * 60_000);
    expect(asked()).toBe(1);
    watch.hint(2);
    await settle();
    expect(asked()).toBe(2);
  });
});
