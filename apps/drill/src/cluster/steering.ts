/**
 * What leads people to a region, as a name service with health checks or a balancer over regions does: each to its own while that is ready
 * and in, else to another that is. Whoever is led away from one that is not ready loses the connections there, or would wait on them.
 */
import type { Link } from './link.ts';

const LOOK_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 3_000;
/** So many answers in a row change its mind. */
const IN_A_ROW = 3;

export interface Steered {
  readonly name: string;
  /** Ports that answer `/readyz`. */
  readonly servers: () => readonly number[];
  /** Its people's way, and the port behind which its servers are. */
  readonly way: Link;
  readonly front: number;
}

interface State {
  readonly of: Steered;
  isReady: boolean;
  isOut: boolean;
  /** Answers in a row that were other than `isReady`. */
  others: number;
  /** Where its people are led. */
  to: Steered;
}

export class Steering {
  readonly #states: readonly State[];
  readonly #isReady: (port: number) => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(regions: readonly Steered[], isReady: (port: number) => Promise<boolean> = answersReady) {
    this.#states = regions.map((of) => ({ of, isReady: true, isOut: false, others: 0, to: of }));
    this.#isReady = isReady;
  }

  start(): void {
    const next = () => {
      this.#timer = setTimeout(() => {
        this.#looking = this.look();
        void this.#looking.then(() => this.#timer && next());
      }, LOOK_EVERY_MS);
    };
    next();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  /** Asks all regions once. */
  async look(): Promise<void> {
    await Promise.all(
      this.#states.map(async (state) => {
        const answers = await Promise.all(state.of.servers().map(this.#isReady));
        const isReady = answers.every(Boolean);
        state.others = isReady === state.isReady ? 0 : state.others + 1;
        if (state.others < IN_A_ROW) return;
        state.isReady = isReady;
        state.others = 0;
      }),
    );
    this.#lead();
  }

  /** New connections of its people go elsewhere; those that are open stay, and are its servers' to end. */
  takeOut(name: string): void {
    this.#state(name).isOut = true;
    this.#lead();
  }

  /** What its people still have open there ends, as when nginx is told to quit: connections that are kept for the next request, too. */
  close(name: string): void {
    const { way, front } = this.#state(name).of;
    way.break(front);
  }

  putBack(name: string): void {
    this.#state(name).isOut = false;
    this.#lead();
  }

  /** Whether the people of `name` are led to their own region. */
  isHome(name: string): boolean {
    const { of, to } = this.#state(name);
    return of === to;
  }

  #lead(): void {
    for (const state of this.#states) {
      const mayServe = ({ isReady, isOut }: State) => isReady && !isOut;
      const other = this.#states.find((each) => each !== state && mayServe(each));
      const to = mayServe(state) ? state.of : (other?.of ?? state.to);
      if (to === state.to) continue;
      const before = state.to;
      state.to = to;
      state.of.way.lead(to.front);
      if (!this.#state(before.name).isReady) state.of.way.break(before.front);
    }
  }

  #state(name: string): State {
    return this.#states.find(({ of }) => of.name === name)!;
  }
}

async function answersReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })).ok;
  } catch {
    return false;
  }
}
