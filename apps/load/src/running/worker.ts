/** Plays shares, one phase after the other, and says once a second what happened. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { seededNumbers } from '@sealwire/light/seeded-numbers';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { parseDeviceId } from '@sealwire/wire/ids';
import { readIdentity } from '../identities/identity.ts';
import { Tally } from '../measuring/tally.ts';
import type { Records } from '../oracle/across.ts';
import { Offences, type Verdict } from '../oracle/oracle.ts';
import type { Playing, Scene } from '../traffic/activity.ts';
import { Filing } from '../traffic/filing.ts';
import { Idling } from '../traffic/idling.ts';
import { Keying } from '../traffic/keying.ts';
import { Storming } from '../traffic/storming.ts';
import { Talking } from '../traffic/talking.ts';
import type { Hand, Part, Saying, Share, Strain } from './share.ts';

const SECOND_MS = 1_000;
const NS_IN_MS = 1e6;
const US_IN_MS = 1e3;

export interface WorkerTerms {
  /** The runtime whose sockets come from these addresses. */
  readonly runtimeFrom: (sources: readonly string[]) => ClientRuntime;
  /** ms since 1970, and never backwards. */
  readonly now: () => number;
  readonly say: (saying: Saying) => void;
}

export class Worker implements Hand {
  readonly #terms: WorkerTerms;
  readonly #tally = new Tally();
  readonly #said = new Set<string>();
  #offences = new Offences();
  #playing: readonly Playing[] = [];
  #stopping = new AbortController();
  /** The conductor's. */
  #now: () => number;

  constructor(terms: WorkerTerms) {
    this.#terms = terms;
    this.#now = terms.now;
  }

  async prepare(share: Share): Promise<void> {
    const { now: ownNow, runtimeFrom } = this.#terms;
    const now = () => ownNow() + share.clockOffsetMs;
    this.#now = now;
    this.#offences = new Offences();
    const scene: Scene = {
      ...share,
      run: decodeBase64url(share.run),
      runtime: runtimeFrom(share.sources),
      tally: this.#tally,
      offences: this.#offences,
      random: seededNumbers(share.seed),
      now,
      warn: (text) => this.#warn(text),
    };
    this.#playing = share.parts.map((part) => playingOf(part, scene));
    const ticking = this.#tick();
    try {
      for (const playing of this.#playing) await playing.prepare();
    } finally {
      clearInterval(ticking);
    }
  }

  async play(from: number, until: number): Promise<Strain> {
    const now = this.#now;
    if (from > now()) await new Promise((resolve) => setTimeout(resolve, from - now()));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const cpu = process.cpuUsage();
    const ticking = this.#tick();
    const { signal } = this.#stopping;
    await Promise.all(this.#playing.map((playing) => playing.play(from, until, signal)));
    clearInterval(ticking);
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    this.#terms.say({ say: 'tick', tick: this.#tally.take() });
    return {
      // The monitor counts the timer's own pause.
      loopDelay99Ms: Math.max(0, delay.percentile(99) / NS_IN_MS - 5),
      cores: (user + system) / US_IN_MS / Math.max(1, now() - from),
    };
  }

  async records(): Promise<Records> {
    // What came from other workers after this one had nothing to do any more.
    this.#terms.say({ say: 'tick', tick: this.#tally.take() });
    const all = this.#playing.flatMap((playing) => playing.records?.() ?? []);
    return { sent: all.flatMap(({ sent }) => sent), received: all.flatMap(({ received }) => received) };
  }

  async finish(): Promise<Verdict> {
    await Promise.all(this.#playing.map((playing) => playing.end()));
    this.#playing = [];
    this.#tally.forgetLevels();
    return this.#offences.verdict();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** What a failed `prepare` has opened is closed. */
  end(): void {
    for (const playing of this.#playing) void playing.end();
  }

  #tick(): NodeJS.Timeout {
    return setInterval(() => this.#terms.say({ say: 'tick', tick: this.#tally.take() }), SECOND_MS);
  }

  #warn(text: string): void {
    if (this.#said.has(text) || this.#said.size >= 20) return;
    this.#said.add(text);
    this.#terms.say({ say: 'warning', text });
  }
}

function playingOf(part: Part, scene: Scene): Playing {
  switch (part.kind) {
    case 'talk': {
      const groups = part.groups.map((members) =>
        members.map((one) => ('elsewhere' in one ? { ...one, id: parseDeviceId(one.id) } : readIdentity(one))),
      );
      const sdkGroups = part.sdkGroups.map((members) =>
        members.map(({ id, keysFile }) => ({ id: parseDeviceId(id), keysFile })),
      );
      return new Talking({ ...part, groups, sdkGroups }, scene);
    }
    case 'connect':
      return new Idling(part.devices.map(readIdentity), scene);
    case 'storm':
      return new Storming(part.devices.map(readIdentity), part, scene);
    case 'keys':
      return new Keying(part.devices.map(readIdentity), part.rate, scene);
    case 'files':
      return new Filing(part.devices.map(readIdentity), part, scene);
  }
}
