/** Who is told of whom over several nodes, and what a bus that loses costs: docs/spec/presence.md section 5. */
import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sealwire/wire/limits';
import { PresenceWorld, type TestNode, type TestSocket } from '../testing/presence-world.ts';

const GRACE_MS = 10_000;

describe('two nodes', () => {
  let world: PresenceWorld;
  let first: TestNode;
  let second: TestNode;
  let alice: TestSocket;
  let bob: TestSocket;

  async function meet(): Promise<void> {
    world = new PresenceWorld();
    first = await world.node('a');
    second = await world.node('b');
    alice = first.socket('alice');
    first.show(alice, 'bob');
    await world.pass(500);
    bob = second.socket('bob');
    second.show(bob, 'alice');
    await world.pass(1_000);
    expect([alice.heard(), bob.heard()]).toEqual([['bob online'], ['alice online']]);
  }

  it('tell each other at once', async () => {
    await meet();
    first.presence.appear(alice, true);
    await world.pass(1_500);
    expect(bob.heard()).toEqual(['alice away']);
    first.close(alice);
    await world.pass(GRACE_MS + 1_000);
    expect(bob.heard()).toEqual(['alice offline']);
  });

  it('tell no node of whom nobody there is shown to', async () => {
    await meet();
    const third = await world.node('c');
    const carol = third.socket('carol');
    third.show(carol, 'alice', 'bob');
    await world.pass(130_000);
    expect([carol.heard(), alice.heard(), bob.heard()]).toEqual([[], [], []]);
    expect(third.said.filter(({ kind }) => kind === 'presence').length).toBeGreaterThan(1);
  });

  it('who goes to another node was never away', async () => {
    await meet();
    first.close(alice);
    await world.pass(1_000);
    alice = second.socket('alice');
    second.show(alice, 'bob');
    await world.pass(130_000);
    expect([alice.heard(), bob.heard()]).toEqual([['bob online'], []]);
  });

  it('T179: the people of a node that is killed are offline elsewhere within 50 seconds', async () => {
    await meet();
    first.isDead = true;
    await world.pass(44_000);
    expect(bob.frames).toEqual([]);
    await world.pass(6_000);
    expect(bob.heard()).toEqual(['alice offline']);
  });

  it('those of one that ends in good order within ten, unless they come back elsewhere', async () => {
    await meet();
    const carol = first.socket('carol');
    first.show(carol, 'bob');
    second.show(bob, 'alice', 'carol');
    await world.pass(2_000);
    expect(bob.heard()).toEqual(['carol online']);
    await first.presence.stop();
    await world.pass(250);
    first.isDead = true;
    const again = second.socket('carol');
    second.show(again, 'bob');
    await world.pass(GRACE_MS + 1_000);
    expect(bob.heard()).toEqual(['alice offline']);
  });

  it('a node that comes back under its name has other people: those of before are gone, unless they are there', async () => {
    await meet();
    first.isDead = true;
    const next = await world.node('a');
    await world.pass(1_000);
    expect(bob.frames).toEqual([]);
    await world.pass(GRACE_MS + 1_000);
    expect(bob.heard()).toEqual(['alice offline']);
    next.show(next.socket('alice'), 'bob');
    await world.pass(1_000);
    expect(bob.heard()).toEqual(['alice online']);
  });

  it('T179: a word that the bus loses is made good by the next round, an end by the one after it', async () => {
    world = new PresenceWorld();
    first = await world.node('a');
    second = await world.node('b');
    [alice, bob] = [first.socket('alice'), second.socket('bob')];
    await world.pass(1_000);
    first.loses = second.loses = ({ kind }) => kind === 'presence';
    first.show(alice, 'bob');
    second.show(bob, 'alice');
    await world.pass(2_000);
    expect([alice.heard(), bob.heard()]).toEqual([[], []]);
    first.loses = second.loses = () => false;
    await world.pass(61_000);
    expect([alice.heard(), bob.heard()]).toEqual([['bob online'], ['alice online']]);

    first.loses = ({ kind }) => kind === 'presence';
    first.close(alice);
    await world.pass(GRACE_MS + 1_000);
    first.loses = () => false;
    expect(bob.heard()).toEqual([]);
    await world.pass(120_000);
    expect(bob.heard()).toEqual(['alice offline']);
  });

  it('B02: an interruption of the bus is made good at once', async () => {
    await meet();
    first.loses = second.loses = ({ kind }) => kind === 'presence';
    const carol = first.socket('carol');
    first.show(carol, 'bob');
    second.show(bob, 'alice', 'carol');
    await world.pass(3_000);
    expect([carol.heard(), bob.heard()]).toEqual([[], []]);
    first.loses = second.loses = () => false;
    // It alone was cut off, and asks.
    first.presence.lookAround();
    await world.pass(1_500);
    expect([carol.heard(), bob.heard()]).toEqual([['bob online'], ['carol online']]);
  });

  it('a round says everything in messages that a node takes, and goes on at its pace', async () => {
    world = new PresenceWorld();
    first = await world.node('a');
    second = await world.node('b');
    const names = Array.from({ length: LIMITS.presencePeers.value }, (_, n) => `user${n}`);
    for (let n = 0; n < 6; n++) first.show(first.socket(`bob${n}`), ...names);
    await world.pass(2_000);
    first.said.length = 0;
    await world.pass(60_000);
    const pairs = first.said.flatMap((said) =>
      said.kind === 'presence'
        ? said.shown.flatMap(({ account, peers }) => peers.map((peer) => `${account} ${peer}`))
        : [],
    );
    expect([pairs.length, new Set(pairs).size]).toEqual([6_000, 6_000]);
    expect(first.said.at(-1)).toEqual({ kind: 'presence-round', node: 'a', leaves: false });
  });
});
