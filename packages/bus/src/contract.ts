/** What every adapter of the bus must do, as tests: an adapter's test file calls `busContract` and adds nothing but its own faults. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus } from './port.ts';

/** Two nodes' connections to one bus, which nobody else uses. The suite closes them. */
export interface OpenedBuses {
  readonly one: Bus;
  readonly other: Bus;
}

export interface BusFixture {
  readonly reach: Bus['reach'];
  open(): Promise<OpenedBuses>;
  /**
   * Cuts the connection of `one` once, without waiting until the adapter has mended it. An adapter
   * that has nothing to cut leaves it out: the test is skipped then.
   */
  readonly interrupt?: (buses: OpenedBuses) => void | Promise<void>;
}

/** Keeps what it hears, and can be waited on. */
class Listener {
  readonly heard: Uint8Array[] = [];
  #waiting: (() => void) | undefined;
  #count = 0;

  readonly handler = (message: Uint8Array): void => {
    this.heard.push(message);
    if (this.heard.length >= this.#count) this.#waiting?.();
  };

  async hear(count: number): Promise<Uint8Array[]> {
    this.#count = count;
    if (this.heard.length < count)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    return this.heard;
  }
}

/** Registers the suite. */
export function busContract(name: string, { reach, open, interrupt }: BusFixture): void {
  describe(`bus contract: ${name}`, () => {
    let buses: OpenedBuses;

    beforeEach(async () => {
      buses = await open();
    });

    afterEach(async () => {
      await buses.one.close();
      await buses.other.close();
    });

    /** Everything that was published before on `channel` has been delivered once this comes back. */
    async function settle(channel: string): Promise<void> {
      const marker = new Listener();
      const subscription = await buses.one.subscribe(channel, marker.handler);
      await buses.other.publish(channel, Uint8Array.of(0));
      await marker.hear(1);
      await subscription.unsubscribe();
    }

    it('delivers to every subscriber of the channel, on every node, and to nobody else', async () => {
      const listeners = [new Listener(), new Listener(), new Listener()] as const;
      const elsewhere = new Listener();
      await buses.one.subscribe('a', listeners[0].handler);
      await buses.one.subscribe('a', listeners[1].handler);
      await buses.other.subscribe('a', listeners[2].handler);
      await buses.other.subscribe('ab', elsewhere.handler);
      await buses.one.publish('a', Uint8Array.of(1));
      for (const listener of listeners) expect(await listener.hear(1)).toEqual([Uint8Array.of(1)]);
      await settle('ab');
      expect(elsewhere.heard).toEqual([Uint8Array.of(0)]);
    });

    it('delivers one publisher’s messages on a channel, any bytes of any length', async () => {
      const listener = new Listener();
      await buses.other.subscribe('a', listener.handler);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const messages = [all, new Uint8Array(0), new Uint8Array(200_000).fill(255), Uint8Array.of(13, 10)];
      for (const message of messages) await buses.one.publish('a', message);
      const heard = await listener.hear(messages.length);
      expect(heard.map(({ length }) => length).sort()).toEqual(messages.map(({ length }) => length).sort());
      for (const message of messages) expect(heard.some((one) => Buffer.compare(one, message) === 0)).toBe(true);
    });

    it('lets channels have any name', async () => {
      for (const channel of ['sealwire.nodes', 'with space', '*', 'ümlaut', '__proto__']) {
        const listener = new Listener();
        await buses.one.subscribe(channel, listener.handler);
        await buses.other.publish(channel, Uint8Array.of(5));
        expect(await listener.hear(1)).toEqual([Uint8Array.of(5)]);
      }
    });

    it('publishes to a channel that nobody listens to', async () => {
      expect(await buses.one.publish('nobody', Uint8Array.of(1))).toBeUndefined();
    });

    it('never calls a handler inside publish', async () => {
      const listener = new Listener();
      await buses.one.subscribe('a', listener.handler);
      const published = buses.one.publish('a', Uint8Array.of(1));
      expect(listener.heard).toEqual([]);
      await published;
      await listener.hear(1);
    });

    it('hands out copies: neither the publisher nor another handler can change what a handler gets', async () => {
      const listener = new Listener();
      await buses.one.subscribe('a', (message) => {
        message.fill(9);
      });
      await buses.one.subscribe('a', listener.handler);
      const message = Uint8Array.of(1, 2, 3);
      const published = buses.one.publish('a', message);
      message.fill(7);
      await published;
      expect(await listener.hear(1)).toEqual([Uint8Array.of(1, 2, 3)]);
      expect(message).toEqual(Uint8Array.of(7, 7, 7));
    });

    it('a handler that throws hurts neither the others, nor the publisher, nor itself later', async () => {
      const listener = new Listener();
      let calls = 0;
      await buses.one.subscribe('a', () => {
        calls++;
        throw new Error('a handler failed');
      });
      await buses.one.subscribe('a', listener.handler);
      await buses.one.publish('a', Uint8Array.of(1));
      await buses.other.publish('a', Uint8Array.of(2));
      expect(await listener.hear(2)).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
      expect(calls).toBe(2);
    });

    it('calls no handler after its unsubscription, which may be repeated, and leaves the others', async () => {
      const gone = new Listener();
      const stays = new Listener();
      const subscription = await buses.one.subscribe('a', gone.handler);
      await buses.one.subscribe('a', stays.handler);
      await buses.other.publish('a', Uint8Array.of(1));
      const before = gone.heard.length;
      await subscription.unsubscribe();
      await subscription.unsubscribe();
      expect(gone.heard.length).toBeLessThanOrEqual(before + 1);
      const heard = gone.heard.length;
      await buses.other.publish('a', Uint8Array.of(2));
      await stays.hear(2);
      await settle('a');
      expect(gone.heard.length).toBe(heard);
    });

    it('keeps two subscriptions of one handler apart', async () => {
      const listener = new Listener();
      const first = await buses.one.subscribe('a', listener.handler);
      await buses.one.subscribe('a', listener.handler);
      await first.unsubscribe();
      await buses.one.publish('a', Uint8Array.of(1));
      await settle('a');
      expect(listener.heard.filter(([byte]) => byte === 1)).toHaveLength(1);
    });

    it('may be used from inside a handler', async () => {
      const answers = new Listener();
      await buses.one.subscribe('answers', answers.handler);
      await buses.other.subscribe('questions', (question) => {
        void buses.other.publish('answers', Uint8Array.of((question[0] ?? 0) + 1));
      });
      await buses.one.publish('questions', Uint8Array.of(41));
      expect(await answers.hear(1)).toEqual([Uint8Array.of(42)]);
    });

    const orWhy = interrupt ? '' : ' (skipped: the fixture cuts no connection)';
    (interrupt ? it : it.skip)(
      `B02: tells each subscription of an interruption, once it hears again; later ones do not hear of it${orWhy}`,
      async () => {
        const heard = { a: new Listener(), b: new Listener() };
        const told = { a: new Listener(), b: new Listener() };
        const nobody = new Listener();
        const note = (listener: Listener) => () => listener.handler(new Uint8Array(0));
        await buses.one.subscribe('a', heard.a.handler, () => {
          note(told.a)();
          throw new Error('a handler failed');
        });
        await buses.one.subscribe('b', heard.b.handler, note(told.b));
        const gone = await buses.one.subscribe('b', () => {}, note(nobody));
        await gone.unsubscribe();
        await interrupt!(buses);
        await Promise.all([told.a.hear(1), told.b.hear(1)]);
        await buses.one.subscribe('a', () => {}, note(nobody));
        await buses.other.publish('a', Uint8Array.of(1));
        await buses.other.publish('b', Uint8Array.of(2));
        expect(await heard.a.hear(1)).toEqual([Uint8Array.of(1)]);
        expect(await heard.b.hear(1)).toEqual([Uint8Array.of(2)]);
        expect(nobody.heard).toEqual([]);
      },
    );

    it('says how far it reaches', () => {
      expect([buses.one.reach, buses.other.reach]).toEqual([reach, reach]);
    });

    it('rejects with BusError once it is closed, hears nothing more, and leaves other nodes alone', async () => {
      const gone = new Listener();
      const stays = new Listener();
      const subscription = await buses.one.subscribe('a', gone.handler);
      await buses.other.subscribe('a', stays.handler);
      await buses.one.close();
      await buses.one.close();
      const refusal = { name: 'BusError', kind: 'unavailable', retryable: true };
      await expect(buses.one.publish('a', Uint8Array.of(1))).rejects.toMatchObject(refusal);
      await expect(buses.one.subscribe('a', gone.handler)).rejects.toMatchObject(refusal);
      await subscription.unsubscribe();
      await buses.other.publish('a', Uint8Array.of(2));
      expect(await stays.hear(1)).toEqual([Uint8Array.of(2)]);
      expect(gone.heard).toEqual([]);
    });
  });
}
