/**
 * Four devices, two of each kind, and whatever can happen to messages and processes, in an order drawn from a seed. The model: every letter
 * is read the first time it arrives, with the content and the sender it was written with, and never again.
 */
import { expect } from '@jest/globals';
import { seededNumbers } from '@sealwire/crypto/testing/seeded-random';
import type { Policy } from '@sealwire/lime/policy';
import { type Correspondent, headerOf, type Letter } from './correspondent.ts';
import type { Suite } from './suite.ts';

const STEPS = 300;
const SEED = 20_261_121;
const POLICIES: readonly (Policy | undefined)[] = [
  undefined,
  'DRMessage',
  'cipherMessage',
  'optimizeUploadSize',
  'optimizeGlobalBandwidth',
];
const LENGTHS = [0, 1, 60, 130, 3_000];
/** So that nothing expires: all that is under way has to be readable. */
const MOST_DAYS = 25;

interface UnderWay {
  readonly letter: Letter;
  readonly reader: Correspondent;
  readonly content: string;
}

export function soak({ curve, world, it }: Suite): void {
  it(`${STEPS} random steps: every letter is read once, whatever is lost, late, repeated or restarted`, async () => {
    const random = seededNumbers(SEED);
    const upTo = (bound: number) => Math.floor(random() * bound);
    const anyOf = <T>(list: readonly T[]): T => list[upTo(list.length)]!;
    const taken = <T>(list: T[]): T => list.splice(upTo(list.length), 1)[0]!;

    const devices: Correspondent[] = [];
    for (const kind of ['liblime', 'ours', 'liblime', 'ours'] as const) devices.push(await world().device(kind, curve));
    const underWay: UnderWay[] = [];
    const read: UnderWay[] = [];
    const done: Record<string, number> = {};
    let days = 0;

    const steps: Record<string, { weight: number; run: () => Promise<void> }> = {
      send: { weight: 36, run: send },
      deliver: { weight: 50, run: deliver },
      lose: { weight: 4, run: async () => void (underWay.length > 0 && taken(underWay)) },
      repeat: { weight: 10, run: repeat },
      restart: { weight: 8, run: () => anyOf(devices).restart() },
      stale: { weight: 5, run: () => anyOf(devices).staleSessions(anyOf(devices)) },
      upkeep: { weight: 5, run: upkeep },
    };
    const lots = Object.entries(steps).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));

    async function send(): Promise<void> {
      const sender = anyOf(devices);
      const others = devices.filter((device) => device !== sender);
      const recipients = upTo(3) === 0 ? others : [anyOf(others)];
      const length = anyOf(LENGTHS);
      const content = Array.from({ length }, () => String.fromCharCode(upTo(256))).join('');
      const policy = anyOf(POLICIES);
      const letters = await sender.write(recipients, content, policy ? { policy } : {});
      expect(letters.map(({ to }) => to)).toEqual(recipients.map(({ device }) => device));
      underWay.push(...letters.map((letter, i) => ({ letter, reader: recipients[i]!, content })));
    }

    async function deliver(): Promise<void> {
      if (underWay.length === 0) return;
      const arrived = taken(underWay);
      expect(await arrived.reader.read(arrived.letter)).toMatchObject({ content: arrived.content });
      read.push(arrived);
    }

    async function repeat(): Promise<void> {
      const repeated = read.filter(({ letter, reader }) => !isReadAgain(letter, reader));
      if (repeated.length === 0) return;
      const { letter, reader } = anyOf(repeated);
      expect(await reader.read(letter)).toHaveProperty('refused');
    }

    /** liblime reads a first message without one-time prekey again; see `order`. */
    function isReadAgain(letter: Letter, reader: Correspondent): boolean {
      return reader.kind === 'liblime' && headerOf(letter, curve).init?.withOneTime === false;
    }

    async function upkeep(): Promise<void> {
      if (days < MOST_DAYS) {
        days += 1;
        for (const device of devices) await device.advance(1);
      }
      await anyOf(devices).update();
    }

    for (let step = 0; step < STEPS; step += 1) {
      const name = anyOf(lots);
      done[name] = (done[name] ?? 0) + 1;
      try {
        await steps[name]!.run();
      } catch (error) {
        throw new Error(`step ${step}, ${name}`, { cause: error });
      }
    }
    expect(Object.keys(done).sort()).toEqual(Object.keys(steps).sort());
    while (underWay.length > 0) await deliver();
    // On solid ground again: everybody to everybody, in one round without first messages.
    for (const round of ['meet', 'talk']) {
      for (const sender of devices) {
        const others = devices.filter((device) => device !== sender);
        for (const [i, letter] of (await sender.write(others, round)).entries()) {
          expect(await others[i]!.read(letter)).toMatchObject({ content: round });
          if (round === 'talk') expect(headerOf(letter, curve).init).toBeUndefined();
        }
      }
    }
  });
}
