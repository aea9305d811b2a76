import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HeldMail } from './mailbox.ts';
import { Shares } from './shares.ts';

interface Sent {
  readonly seq: number;
  readonly size: number;
  readonly account: string;
}

/** A mailbox as a list, of which `Shares` is told, and how many of its messages were looked at. */
class Listed {
  mails: Sent[] = [];
  looks = 0;
  #seq = 0;
  #shares: Shares | undefined;

  send(account: string, size: number): void {
    const mail = { seq: ++this.#seq, size, account };
    this.mails.push(mail);
    this.#shares?.add(account, mail);
  }

  acknowledge(count: number): void {
    for (const mail of this.mails.splice(0, count)) this.#shares?.remove(mail.account, mail);
  }

  take(limits: { messages: number; bytes: number }): number | undefined {
    this.#shares ??= new Shares((seq) => this.#after(seq), limits);
    const taken = this.#shares.takeOldest(limits);
    this.mails = this.mails.filter(({ seq }) => seq !== taken?.seq);
    return taken?.seq;
  }

  *#after(after: number): Generator<HeldMail> {
    for (const { seq, size, account } of this.mails) {
      if (seq <= after) continue;
      this.looks++;
      yield { seq, size, at: 0, account: () => account, body: () => undefined };
    }
  }
}

/** As the port says it. */
function oldestOfLargest(mails: readonly Sent[], limits: { messages: number; bytes: number }): number | undefined {
  const parts = new Map<string, { messages: number; bytes: number; oldest: number }>();
  for (const { seq, size, account } of mails) {
    const part = parts.get(account) ?? { messages: 0, bytes: 0, oldest: seq };
    parts.set(account, { ...part, messages: part.messages + 1, bytes: part.bytes + size });
  }
  const shares = [...parts.values()].map(({ messages, bytes, oldest }) => ({
    oldest,
    part: Math.max(messages / limits.messages, bytes / limits.bytes),
  }));
  return shares.sort((a, b) => b.part - a.part || a.oldest - b.oldest)[0]?.oldest;
}

describe('the shares of a full mailbox', () => {
  it('are what a look at all messages says, whatever comes and goes', () => {
    const accounts = ['a', 'b', 'c', 'd', 'e', 'f', ''];
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...accounts), fc.nat(20), fc.constantFrom(1, 2, 40, 100)) },
      { weight: 6, arbitrary: fc.constant('take' as const) },
      { weight: 1, arbitrary: fc.nat(5) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const mailbox = new Listed();
        for (const [i, one] of steps.entries()) {
          // The operator may choose others.
          const limits = i < 40 ? { messages: 100, bytes: 1_000 } : { messages: 10, bytes: 1_000 };
          if (typeof one === 'number') mailbox.acknowledge(one);
          else if (one === 'take')
            for (let takes = 0; takes < 30; takes++) {
              const expected = oldestOfLargest(mailbox.mails, limits);
              expect(mailbox.take(limits)).toBe(expected);
            }
          else for (let n = 0; n < one[2]; n++) mailbox.send(one[0], one[1]);
        }
      }),
      { seed: 20_261_128, numRuns: 200 },
    );
  });

  it('cost a flood of thousands of accounts a look at all messages once', () => {
    const limits = { messages: 3_000, bytes: 1e9 };
    const mailbox = new Listed();
    for (let n = 0; n < limits.messages; n++) mailbox.send(`account ${n}`, 10);
    expect(mailbox.take(limits)).toBe(1);
    expect(mailbox.looks).toBe(limits.messages);
    for (let n = 0; n < 1_000; n++) {
      mailbox.send(`account ${(n * 7) % limits.messages}`, 10);
      mailbox.take(limits);
    }
    expect(mailbox.looks).toBe(limits.messages);
  });
});
