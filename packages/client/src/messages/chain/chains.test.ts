import { describe, expect, it, jest } from '@jest/globals';
import type { AccountAddress } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { ALICE, BOB, CAROL, deviceOf, type Fate, ME, Recipient, Sender } from '../../testing/chain-world.ts';
import type { DurableEvent } from '../inbox.ts';

fc.configureGlobal({ seed: 0x5ea1 });

type Step =
  | { readonly kind: 'send'; readonly to: AccountAddress; readonly fate: Fate; readonly crash: boolean }
  | { readonly kind: 'deliver' | 'drop' | 'hold'; readonly to: number }
  | { readonly kind: 'restart'; readonly to: number }
  | { readonly kind: 'receipt'; readonly to: number }
  | { readonly kind: 'join' };

const send = (...fates: Fate[]) =>
  fc.record({
    kind: fc.constant('send' as const),
    to: fc.constantFrom(BOB, CAROL),
    fate: fc.constantFrom(...fates),
    crash: fc.boolean(),
  });
const at = <const K extends string>(...kinds: K[]) =>
  fc.record({ kind: fc.constantFrom(...kinds), to: fc.nat({ max: 3 }) });
const join = fc.constant({ kind: 'join' as const });
const LENGTH = { minLength: 20, maxLength: 80, size: 'max' } as const;
const HONEST: Fate[] = ['accepted', 'answer lost', 'refused', 'refused but stored'];

/** bob's first device, carol's, alice's other one, and bob's second, which joins later. */
class World {
  readonly sender = new Sender();
  readonly recipients = [deviceOf('bob', 1), deviceOf('carol', 1), deviceOf('alice', 2), deviceOf('bob', 2)].map(
    (device) => new Recipient(device),
  );
  joined = false;
  readonly told: { recipient: Recipient; event: DurableEvent }[] = [];
  readonly arrived: { recipient: Recipient; id: string }[] = [];
  readonly notArrived: DurableEvent[] = [];

  async open(): Promise<this> {
    for (const disk of [this.sender, ...this.recipients]) await disk.open();
    return this;
  }

  of(conversation: AccountAddress): Recipient[] {
    const [bob, carol, copy, tablet] = this.recipients as [Recipient, Recipient, Recipient, Recipient];
    return conversation === CAROL ? [carol, copy] : [bob, copy, ...(this.joined ? [tablet] : [])];
  }

  async run(step: Step): Promise<void> {
    if (step.kind === 'join') this.joined = true;
    else if (step.kind === 'send') await this.sender.send(step.to, this.of(step.to), step.fate, step.crash);
    else await this.at(step.kind, this.recipients[step.to]!);
  }

  async at(kind: 'deliver' | 'drop' | 'hold' | 'restart' | 'receipt', recipient: Recipient): Promise<void> {
    if (kind === 'restart') await recipient.open();
    if (kind === 'drop') recipient.mailbox.shift();
    if (kind === 'receipt') await this.receipts(recipient);
    if (kind !== 'deliver' && kind !== 'hold') return;
    const took = await recipient.take(kind === 'hold' ? 1 : 0);
    for (const event of took?.events ?? []) {
      this.told.push({ recipient, event });
      if (event.kind === 'hole') this.judge(recipient, took!.message, event);
    }
  }

  /** What is told to be missing is missing. */
  judge(recipient: Recipient, message: Recipient['mailbox'][number], { last }: { last: number }): void {
    const { conversation } = message;
    expect(this.sender.acceptedFor(conversation, recipient.device)).toContain(last);
    expect(recipient.delivered.some((has) => has.conversation === conversation && has.number === last)).toBe(false);
  }

  async receipts(recipient: Recipient): Promise<void> {
    for (const conversation of recipient.chains.owing()) {
      const { receipts } = recipient.chains.receipts(conversation);
      const to = conversation === CAROL || conversation === BOB ? conversation : recipient.device.split(';')[0]!;
      const { ids, events } = await this.sender.confirmed(to as AccountAddress, recipient.device, receipts);
      for (const id of ids) this.arrived.push({ recipient, id });
      this.notArrived.push(...events);
      const publish = await recipient.ledger.commit((transaction) =>
        recipient.chains.told(transaction, conversation, receipts),
      );
      publish();
    }
  }

  /** Everything that is left arrives, and one message more in each conversation. */
  async settle(): Promise<void> {
    for (const conversation of [BOB, CAROL])
      await this.sender.send(conversation, this.of(conversation), 'accepted', false);
    for (const recipient of this.recipients) {
      while (recipient.mailbox.length > 0) await this.at('deliver', recipient);
      await this.receipts(recipient);
    }
  }

  /** Accepted for `recipient` in `conversation`, and never delivered. */
  lost(recipient: Recipient, conversation: AccountAddress): number[] {
    const has = (number: number) =>
      recipient.delivered.some((each) => each.conversation === conversation && each.number === number);
    return this.sender.acceptedFor(conversation, recipient.device).filter((number) => !has(number));
  }
}

async function runAll(steps: readonly Step[]): Promise<World> {
  const world = await new World().open();
  for (const step of steps) await world.run(step);
  await world.settle();
  return world;
}

jest.setTimeout(60_000);

it('what arrives while a receipt is under way is owed another one', async () => {
  const { sender, recipients } = await new World().open();
  const bob = recipients[0]!;
  await sender.send(BOB, [bob], 'accepted', false);
  await sender.send(BOB, [bob], 'accepted', false);
  await bob.take(0);
  const { receipts } = bob.chains.receipts(ALICE);
  await bob.take(0);
  const tell = async (told: typeof receipts) =>
    (await bob.ledger.commit((transaction) => bob.chains.told(transaction, ALICE, told)))();
  await tell(receipts);
  const [owed] = bob.chains.receipts(ALICE).receipts;
  expect(owed).toMatchObject({ number: 2 });
  await tell([owed!]);
  expect(bob.chains.owing()).toEqual([]);
  await bob.open();
  expect(bob.chains.owing()).toEqual([]);
});

it('a hole is told with the session that broke, when its sender says so or sends again what nobody could read', async () => {
  const recipient = new Recipient(deviceOf('bob', 1));
  await recipient.open();
  const arrives = (number: number, previous: number, again = false) =>
    recipient.ledger.commit((transaction) => {
      const link = {
        number,
        newcomers: [],
        ...(previous > 0 && { previous: { number: previous, digest: new Uint8Array(16) } }),
      };
      const content = { type: 'text/plain', body: new Uint8Array(1), sentAt: number, link };
      return recipient.chains.follow(transaction, { sender: ME, recipientUser: BOB }, content, again);
    });
  const restarted = { kind: 'hole', restarted: true };
  await arrives(1, 0);
  expect(await arrives(5, 4, true)).toMatchObject([restarted]);
  await recipient.ledger.commit((transaction) => recipient.chains.sessionBroken(transaction, ME));
  expect(await arrives(9, 8)).toMatchObject([restarted]);
  expect((await arrives(12, 11))[0]).not.toHaveProperty('restarted');
});

describe('chains over any schedule', () => {
  it('an honest relay gives no alarm, whatever is retried, refused, crashed or joined; all that arrived is confirmed', async () => {
    const steps = fc.array(fc.oneof(send(...HONEST), at('deliver', 'restart', 'receipt'), join), LENGTH);
    await fc.assert(
      fc.asyncProperty(steps, async (schedule) => {
        const world = await runAll(schedule);
        expect(world.told).toEqual([]);
        expect(world.notArrived).toEqual([]);
        for (const conversation of [BOB, CAROL]) expect(world.sender.chains.unconfirmed(conversation)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('every message that a relay drops is missed at the latest with the next one, by its recipient and then by its sender', async () => {
    const kinds = at('deliver', 'deliver', 'drop', 'restart', 'receipt');
    const steps = fc.array(fc.oneof(send(...HONEST, 'dropped'), kinds, join), LENGTH);
    let losses = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (schedule) => {
        const world = await runAll(schedule);
        for (const recipient of world.recipients)
          for (const conversation of [BOB, CAROL])
            for (const number of world.lost(recipient, conversation)) {
              losses += 1;
              const holes = world.told.filter(
                ({ recipient: who, event }) =>
                  who === recipient && event.kind === 'hole' && event.first <= number && number <= event.last,
              );
              expect(holes.length).toBeGreaterThan(0);
            }
        const kept = [BOB, CAROL].flatMap((conversation) => world.sender.chains.unconfirmed(conversation));
        const missed = world.notArrived.flatMap((event) => (event.kind === 'not-arrived' ? event.ids : []));
        for (const { id } of kept) expect(missed).toContain(id);
        expect(world.told.filter(({ event }) => event.kind !== 'hole')).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect(losses).toBeGreaterThan(150);
  });

  it('a changed order is told of, and nothing is missing in the end; there is never a fork', async () => {
    const steps = fc.array(fc.oneof(send('accepted', 'answer lost'), at('deliver', 'hold', 'receipt')), LENGTH);
    let late = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (schedule) => {
        const world = await runAll(schedule);
        const told = world.told.map(({ event }) => event.kind);
        expect(told.filter((kind) => kind === 'fork')).toEqual([]);
        late += told.filter((kind) => kind === 'late').length;
        expect(told.filter((kind) => kind === 'late').length).toBeGreaterThanOrEqual(
          told.filter((kind) => kind === 'hole').length,
        );
        for (const conversation of [BOB, CAROL]) expect(world.sender.chains.unconfirmed(conversation)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect(late).toBeGreaterThan(100);
  });
});
