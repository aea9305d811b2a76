/** Who is told of whom on one node: docs/spec/presence.md sections 2 and 3. */
import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sealwire/wire/limits';
import { PresenceWorld, type TestNode, type TestSocket } from '../testing/presence-world.ts';

const GRACE_MS = 10_000;

describe('two people on one node', () => {
  let world: PresenceWorld;
  let node: TestNode;
  let alice: TestSocket;
  let bob: TestSocket;

  async function meet(): Promise<void> {
    world = new PresenceWorld();
    node = await world.node('a');
    alice = node.socket('alice');
    bob = node.socket('bob');
    node.show(alice, 'bob');
    node.show(bob, 'alice');
    await world.pass(1_000);
  }

  it('hear of each other while each shows itself to the other', async () => {
    await meet();
    expect([alice.heard(), bob.heard()]).toEqual([['bob online'], ['alice online']]);
    node.presence.appear(bob, true);
    await world.pass(1_000);
    expect(alice.heard()).toEqual(['bob away']);
    node.presence.appear(bob, false);
    await world.pass(1_000);
    expect(alice.heard()).toEqual(['bob online']);
    expect(bob.heard()).toEqual([]);
  });

  it('J05 T176: who is not shown to hears what it hears of somebody offline: nothing, whenever it asks', async () => {
    await meet();
    const mallory = node.socket('mallory');
    node.show(mallory, 'alice', 'bob', 'nobody');
    await world.pass(3_000);
    node.show(mallory, 'alice');
    node.presence.appear(alice, true);
    node.close(bob);
    await world.pass(120_000);
    expect(mallory.frames).toEqual([]);
    expect(node.said).toEqual([]);
  });

  it('J05 T176: to be taken off a list looks like going offline, in the same time', async () => {
    const ends = [() => node.close(bob), () => node.show(bob, 'carol'), () => node.show(bob)];
    for (const end of ends) {
      await meet();
      alice.heard();
      end();
      await world.pass(GRACE_MS - 250);
      expect(alice.frames).toEqual([]);
      await world.pass(500);
      expect(alice.heard()).toEqual(['bob offline']);
    }
  });

  it('A17: who comes back within ten seconds was never away', async () => {
    await meet();
    alice.heard();
    for (let n = 0; n < 5; n++) {
      node.close(bob);
      await world.pass(GRACE_MS - 1_000);
      bob = node.socket('bob');
      node.show(bob, 'alice');
      await world.pass(1_000);
      expect(bob.heard()).toEqual(['alice online']);
    }
    await world.pass(20_000);
    expect(alice.heard()).toEqual([]);
  });

  it('are online when one of their devices is, and away when all are', async () => {
    await meet();
    alice.heard();
    const phone = node.socket('bob', 2);
    node.presence.show(phone, { accounts: [alice.device.split(';')[0] as never], away: true });
    await world.pass(1_000);
    expect(alice.heard()).toEqual([]);
    node.presence.appear(bob, true);
    await world.pass(1_000);
    expect(alice.heard()).toEqual(['bob away']);
    node.close(phone);
    node.presence.appear(bob, false);
    await world.pass(20_000);
    expect(alice.heard()).toEqual(['bob online']);
    // It shows itself to nobody, and hears of nobody.
    expect(phone.heard()).toEqual(['alice online']);
  });

  it('a device hears of those alone to whom it shows itself', async () => {
    await meet();
    const phone = node.socket('bob', 2);
    node.show(phone, 'carol');
    node.close(alice);
    await world.pass(20_000);
    expect(phone.frames).toEqual([]);
    node.show(bob);
    await world.pass(1_000);
    bob.heard();
    alice = node.socket('alice');
    node.show(alice, 'bob');
    node.show(bob, 'alice');
    await world.pass(2_000);
    expect(bob.heard()).toEqual(['alice online']);
    expect(phone.frames).toEqual([]);
  });

  it('of two lanes the one that sends hears, while the other one receives here or elsewhere', async () => {
    await meet();
    alice.heard();
    const carol = node.socket('carol', 1, 'contact');
    node.show(carol, 'alice');
    node.show(alice, 'bob', 'carol');
    await world.pass(2_000);
    expect([alice.heard(), carol.heard()]).toEqual([[], ['alice online']]);
    node.receiving.add(carol.device);
    await world.pass(2_000);
    expect(alice.heard()).toEqual(['carol online']);
    node.receiving.delete(carol.device);
    await world.pass(GRACE_MS + 2_000);
    expect(alice.heard()).toEqual(['carol offline']);
  });
});

describe('many', () => {
  const names = Array.from({ length: LIMITS.presencePeers.value }, (_, n) => `user${n}`);

  it('T178: a thousand who come online at once are one notice, in frames that fit', async () => {
    const world = new PresenceWorld();
    const node = await world.node('a');
    const bob = node.socket('bob');
    node.show(bob, ...names);
    await world.pass(1_000);
    for (const name of names) node.show(node.socket(name), 'bob');
    await world.pass(1_000);
    expect(bob.frames.map(({ peers }) => peers.length)).toEqual([400, 400, 200]);
    expect(bob.heard().toSorted()).toEqual(names.map((name) => `${name} online`).toSorted());
  });

  it('T178: a socket is told once a second at most, the last word on each, and nothing while it reads slowly', async () => {
    const world = new PresenceWorld();
    const node = await world.node('a');
    const [alice, bob] = [node.socket('alice'), node.socket('bob')];
    node.show(bob, 'alice');
    node.show(alice, 'bob');
    await world.pass(2_000);
    bob.heard();
    for (let n = 0; n < 21; n++) {
      node.presence.appear(alice, n % 2 === 0);
      await world.pass(250);
    }
    expect(bob.frames.length).toBeLessThanOrEqual(6);
    expect(bob.heard().at(-1)).toBe('alice away');
    Object.assign(bob.writer, { waitingBytes: 1_000_000 });
    node.presence.appear(alice, false);
    await world.pass(5_000);
    expect(bob.frames).toEqual([]);
    node.presence.appear(alice, true);
    await world.pass(1_000);
    Object.assign(bob.writer, { waitingBytes: 0 });
    node.presence.appear(alice, false);
    await world.pass(1_000);
    // It has missed that she was there, and away again.
    expect(bob.heard()).toEqual(['alice online']);
  });

  it('T178: lists have a budget by account, whatever sockets they come on; beyond it the last word waits', async () => {
    const world = new PresenceWorld({ presencePerAccount: { burst: 100, perSecond: 10 } });
    const node = await world.node('a');
    const [alice, bob] = [node.socket('alice'), node.socket('bob')];
    node.show(alice, 'bob');
    for (let n = 0; n < 9; n++) node.show(node.socket('bob', n + 2), 'alice');
    await world.pass(500);
    expect(alice.heard()).toEqual(['bob online']);
    node.show(bob, 'carol');
    node.show(bob, 'alice');
    node.presence.appear(bob, true);
    await world.pass(250);
    expect(bob.heard()).toEqual([]);
    expect(await node.metrics.text()).toContain('{limiter="relay-presence-per-account"} 1');
    await world.pass(2_000);
    expect(bob.heard()).toEqual(['alice online']);
  });
});
