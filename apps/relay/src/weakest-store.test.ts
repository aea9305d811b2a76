/** The relay over a store that does the least that the port allows (`@sealwire/store/testing/weakest`). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StepPlan, Steps } from '@sealwire/store/faults';
import { openWeakestStore } from '@sealwire/store/testing/weakest';
import type { DeviceId } from '@sealwire/wire/ids';
import { messageId, type TestClient, textOf } from './testing/test-client.ts';
import { openWorld, turns, type World } from './testing/test-relay.ts';

let world: World;
let steps: Steps;
let alice: DeviceId;
let bob: DeviceId;
let carol: DeviceId;

/** Ends what hangs. */
let release: (() => void)[] = [];

beforeEach(async () => {
  const weakest = openWeakestStore();
  steps = weakest.steps;
  release = [];
  world = await openWorld({ nodes: 2, store: weakest.store });
  [alice, bob, carol] = [await world.device('alice'), await world.device('bob'), await world.device('carol')];
});
afterEach(async () => {
  for (const go of release) go();
  await world.close();
});

/** Fails the `nth` step from now on, once. */
function failStep(nth: number, fate: ReturnType<StepPlan>): void {
  steps.plan((step) => (step === nth ? fate : 'done'));
}

/** The `nth` step from now on waits until the test says so. */
function hang(nth: number): { readonly begun: Promise<void>; readonly go: () => void } {
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let go: () => void = () => {};
  const gone = new Promise<'done'>((resolve) => {
    go = () => resolve('done');
  });
  release.push(go);
  steps.plan((step) => {
    if (step !== nth) return 'done';
    begin();
    return gone;
  });
  return { begun, go };
}

async function texts(client: TestClient, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) {
    await turns(3);
    // Whatever is held back is looked for again after a while.
    world.time.pass(2_500);
    await client.settled();
    for (const frame of client.frames.splice(0)) if (frame.kind === 'deliver') all.push(textOf(frame));
  }
  return all;
}

/** Alice's message to bob has its number reserved, and its use hangs; carol's, after it and on another node, is accepted. */
async function overtaken() {
  const [slow, fast, to] = [await world.client(alice), await world.client(carol, 1), await world.client(bob, 1)];
  await turns(20);
  const use = hang(2);
  slow.message(messageId(1), [bob], 'slow');
  await use.begun;
  fast.message(messageId(2), [bob], 'fast');
  await fast.next('accepted');
  return { slow, to, use };
}

describe('over the weakest store', () => {
  it.each([1, 2, 3, 4, 5].flatMap((step) => [[step, 'failed'] as const, [step, 'failed-but-persisted'] as const]))(
    'a message that failed at step %i (%s) is completed by the repeat: everybody gets it once, in order',
    async (step, fate) => {
      const [from, one, other] = [await world.client(alice), await world.client(bob), await world.client(carol, 1)];
      await turns(10);
      failStep(step, fate);
      from.message(messageId(1), [bob, carol], 'first');
      expect(await from.next('rejected')).toMatchObject({ code: 'unavailable', retryable: true });
      from.message(messageId(1), [bob, carol], 'first');
      expect((await from.next('accepted')).ids).toEqual([messageId(1)]);
      from.message(messageId(2), [bob, carol], 'second');
      await from.next('accepted');
      expect(await texts(one, 2)).toEqual(['first', 'second']);
      expect(await texts(other, 2)).toEqual(['first', 'second']);
    },
  );

  it('numbers with holes are delivered and acknowledged like any others', async () => {
    const from = await world.client(alice);
    for (let n = 1; n <= 30; n++) from.message(messageId(n), [bob], String(n));
    const to = await world.client(bob);
    expect(await texts(to, 30)).toEqual(Array.from({ length: 30 }, (_, i) => String(i + 1)));
    to.ack(60);
    await world.acknowledged(to);
    await turns(4);
    expect(await world.store.mailboxes.usage(bob)).toEqual({ messages: 0, bytes: 0 });
  });

  it('a message is not handed out while one before it may still appear', async () => {
    const { slow, to, use } = await overtaken();
    await turns(10);
    await to.settled();
    expect(to.frames.filter(({ kind }) => kind === 'deliver')).toEqual([]);
    use.go();
    await slow.next('accepted');
    expect(await texts(to, 2)).toEqual(['slow', 'fast']);
  });

  it('what hangs for ever holds others back for a while only, and comes later if it comes', async () => {
    const { slow, to, use } = await overtaken();
    expect(await texts(to, 1)).toEqual(['fast']);
    use.go();
    await slow.next('accepted');
    expect(await texts(to, 1)).toEqual(['slow']);
  });
});
