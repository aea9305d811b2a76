/** One load on one server, round after round: what each of them says, and at the end the verdict on all messages. */
import { seededNumbers } from '@sealwire/light/seeded-numbers';
import type { Histogram } from 'hdr-histogram-js';
import { decodeHistogram, newHistogram, Tally } from '../measuring/tally.ts';
import { Offences, type Verdict } from '../oracle/oracle.ts';
import { cpuMicrosOf, memoryOf } from '../peers/processes.ts';
import type { Running } from '../peers/target.ts';
import { type Scene, waitFor } from '../traffic/activity.ts';
import { untilOver } from '../traffic/idling.ts';
import { HEADER_BYTES, ORIGIN_BYTES, RUN_BYTES } from '../traffic/payload.ts';
import { play } from '../traffic/schedule.ts';
import { Talk } from '../traffic/talk.ts';
import type { Figure, IdleShape, Shape, TalkShape } from './shapes.ts';

const US_IN_MS = 1_000;
const KIB = 1_024;
/** What a server still does for messages that have arrived: acknowledgements that waited for company, its log. It is paid for by them. */
const SETTLE_MS = 250;

/** Of one round; what could not be measured is not in it. */
export type Measured = Readonly<Partial<Record<Figure, number>>>;

export interface StageTerms {
  readonly scene: Omit<Scene, 'tally' | 'offences'>;
  /** Of a message. */
  readonly size: number;
  readonly signal: AbortSignal;
}

export interface Stage {
  open(): Promise<void>;
  /** `seed`: the same for all servers. */
  round(ms: number, seed: number): Promise<Measured>;
  /** What came before is not in `times`. */
  forgetTimes(): void;
  /** From the intended time to the reader, µs. */
  readonly times: Histogram;
  /** What is missing now is lost. */
  close(): Promise<Verdict>;
}

export function stageOf(shape: Shape, running: Running, terms: StageTerms): Stage {
  return shape.kind === 'talk' ? new TalkStage(shape, running, terms) : new IdleStage(shape, running, terms);
}

class TalkStage implements Stage {
  times = newHistogram();
  readonly #shape: TalkShape;
  readonly #running: Running;
  readonly #signal: AbortSignal;
  readonly #scene: Scene;
  readonly #tally = new Tally();
  readonly #offences = new Offences();
  readonly #talks: readonly Talk[];
  #isOver = true;

  constructor(shape: TalkShape, running: Running, terms: StageTerms) {
    this.#shape = shape;
    this.#running = running;
    this.#signal = terms.signal;
    this.#scene = { ...terms.scene, tally: this.#tally, offences: this.#offences };
    const { run, runtime } = terms.scene;
    const origin = new Uint8Array(ORIGIN_BYTES);
    origin.set(run);
    origin.set(runtime.random(ORIGIN_BYTES - RUN_BYTES), RUN_BYTES);
    const size = Math.max(terms.size, HEADER_BYTES);
    const filling = runtime.random(size - HEADER_BYTES);
    const members = shape.readers + 1;
    this.#talks = Array.from({ length: shape.conversations }, (_, group) => {
      const own: { talk?: Talk } = {};
      const completed = () => this.#next(own.talk!);
      const conversation = { topic: `${shape.name}-${group}`, first: group * members, members, origin, filling };
      own.talk = new Talk(
        { activity: 0, group, origin, size, scene: this.#scene, completed },
        running.membersOf(conversation, this.#scene),
      );
      return own.talk;
    });
  }

  async open(): Promise<void> {
    await this.#running.connect(
      this.#talks.flatMap(({ members }) => [...members.values()]),
      this.#scene,
    );
  }

  async round(ms: number, seed: number): Promise<Measured> {
    const { now, patienceMs } = this.#scene;
    const before = cpuMicrosOf(this.#running.pids);
    const from = now();
    const until = from + ms;
    if (this.#shape.rate === undefined) await this.#keepInFlight(this.#shape.inFlight ?? 1, until);
    else {
      const random = seededNumbers(seed);
      await play({ rate: this.#shape.rate, from, until, random, now, signal: this.#signal }, (intended) =>
        this.#talks[Math.floor(random() * this.#talks.length)]!.send(0, intended),
      );
    }
    await waitFor(() => this.#talks.every(({ open }) => open === 0), patienceMs, now);
    const seconds = (now() - from) / 1_000;
    await untilOver(this.#scene.now() + SETTLE_MS, this.#scene.now, this.#signal);
    const after = cpuMicrosOf(this.#running.pids);
    const { counts, times } = this.#tally.take();
    const delivered = counts.delivered ?? 0;
    const deliver = times.deliver === undefined ? undefined : decodeHistogram(times.deliver);
    if (deliver) this.times.add(deliver);
    return {
      ...(before !== undefined && after !== undefined && delivered > 0 && { cpu: (after - before) / delivered }),
      perSecond: delivered / seconds,
      ...(deliver && {
        p50: deliver.getValueAtPercentile(50) / US_IN_MS,
        p99: deliver.getValueAtPercentile(99) / US_IN_MS,
      }),
    };
  }

  forgetTimes(): void {
    this.times = newHistogram();
  }

  async close(): Promise<Verdict> {
    for (const talk of this.#talks) talk.judge();
    await Promise.all(this.#talks.flatMap(({ members }) => [...members.values()].map((member) => member.close())));
    return this.#offences.verdict();
  }

  async #keepInFlight(inFlight: number, until: number): Promise<void> {
    this.#isOver = false;
    for (const talk of this.#talks) for (let i = 0; i < inFlight; i++) talk.send(0, this.#scene.now());
    await untilOver(until, this.#scene.now, this.#signal);
    this.#isOver = true;
  }

  #next(talk: Talk): void {
    if (this.#isOver) return;
    setImmediate(() => {
      if (!this.#isOver) talk.send(0, this.#scene.now());
    });
  }
}

class IdleStage implements Stage {
  readonly times = newHistogram();
  readonly #shape: IdleShape;
  readonly #running: Running;
  readonly #scene: Scene;
  readonly #signal: AbortSignal;

  constructor(shape: IdleShape, running: Running, { scene, signal }: StageTerms) {
    this.#signal = signal;
    this.#shape = shape;
    this.#running = running;
    this.#scene = { ...scene, tally: new Tally(), offences: new Offences() };
  }

  async open(): Promise<void> {}

  /** Resident memory and CPU of a connection, its login included. */
  async round(): Promise<Measured> {
    const { pids } = this.#running;
    const { connections } = this.#shape;
    const [cpuBefore, memoryBefore] = [cpuMicrosOf(pids), memoryOf(pids)];
    await this.#running.idle(connections, this.#scene);
    await untilOver(this.#scene.now() + SETTLE_MS, this.#scene.now, this.#signal);
    const [cpu, memory] = [cpuMicrosOf(pids), memoryOf(pids)];
    if (cpu === undefined || memory === undefined || cpuBefore === undefined || memoryBefore === undefined) return {};
    return { cpu: (cpu - cpuBefore) / connections, memory: (memory - memoryBefore) / connections / KIB };
  }

  forgetTimes(): void {}

  async close(): Promise<Verdict> {
    return new Offences().verdict();
  }
}
