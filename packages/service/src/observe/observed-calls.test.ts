/** Calls of a port, measured and traced from outside. */
import { describe, expect, it } from '@jest/globals';
import { createMetrics } from './metrics.ts';
import { observedBlobs, observedStore } from './observed-ports.ts';
import type { Tracing } from './tracing.ts';

class Refusal extends Error {
  constructor(readonly kind: string) {
    super('no');
  }
}

/** With private fields, as adapters have them. */
class Mailboxes {
  readonly #held = ['one'];

  async read(): Promise<readonly string[]> {
    return this.#held;
  }

  async append(kind: string): Promise<void> {
    throw new Refusal(kind);
  }

  size(): number {
    return this.#held.length;
  }
}

function setUp(tracing?: Tracing) {
  const metrics = createMetrics();
  const store = { mailboxes: new Mailboxes(), probe: async () => {}, name: 'memory' };
  return { metrics, store: observedStore(store, metrics, tracing) };
}

describe('a store that is observed', () => {
  it('answers what it answers', async () => {
    const { store } = setUp();
    expect(await store.mailboxes.read()).toEqual(['one']);
    expect(store.mailboxes.size()).toBe(1);
    expect(store.name).toBe('memory');
    await expect(store.mailboxes.append('conflict')).rejects.toThrow(new Refusal('conflict'));
  });

  it('has each call timed by its name, whatever becomes of it', async () => {
    const { store, metrics } = setUp();
    await store.probe();
    await store.mailboxes.read();
    await store.mailboxes.append('unavailable').catch(() => {});
    const text = await metrics.text();
    for (const call of ['probe', 'mailboxes.read', 'mailboxes.append'])
      expect(text).toContain(`sealwire_store_call_seconds_count{call="${call}"} 1`);
  });

  it('has failures counted by kind, those alone that are faults of the store', async () => {
    const { store, metrics } = setUp();
    for (const kind of ['unavailable', 'corrupt', 'conflict', 'limit', 'not-found', 'someone@example.org'])
      await store.mailboxes.append(kind).catch(() => {});
    const { values } = await metrics.storeErrors.get();
    expect(values.map(({ labels: { kind }, value }) => [kind, value])).toEqual([
      ['unavailable', 1],
      ['corrupt', 1],
      ['other', 1],
    ]);
  });

  it('has its calls traced where traces are made', async () => {
    const names: string[] = [];
    const call: Tracing['call'] = (name, work) => {
      names.push(name);
      return work();
    };
    const { store } = setUp({ call } as Tracing);
    await store.mailboxes.read();
    expect(names).toEqual(['store mailboxes.read']);
  });
});

it('of blobs the way of their bytes is observed too', async () => {
  const metrics = createMetrics();
  const way = { by: 'streams' as const, read: async () => 'bytes' };
  const blobs = observedBlobs({ way, size: async () => 5 }, metrics);
  expect([await blobs.size(), await blobs.way.read(), blobs.way.by]).toEqual([5, 'bytes', 'streams']);
  const text = await metrics.text();
  expect(text).toContain('sealwire_blob_call_seconds_count{call="way.read"} 1');
});
