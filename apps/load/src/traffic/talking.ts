/** Chats and groups: many conversations, in the open model (a rate) or the closed one (so many in flight, with pauses). */

import type { SdkIdentity } from '../identities/identity.ts';
import type { CryptoMode } from '../plan.ts';
import { type Identities, type Playing, type Scene, waitFor } from './activity.ts';
import { connectAll } from './connecting.ts';
import { LightMember } from './light-member.ts';
import type { Member, MemberEvents } from './member.ts';
import { HEADER_BYTES, ORIGIN_BYTES, RUN_BYTES } from './payload.ts';
import { play } from './schedule.ts';
import { SdkMember } from './sdk-member.ts';
import { Talk } from './talk.ts';

/** Of a Double Ratchet message on Curve25519 that carries a seed (docs/spec/lime.md): header 39, seed 32, tag 16. */
const LIME_PART_BYTES = 87;

/** A worker's part of a chat or a group. */
export interface TalkingTerms {
  /** Of each conversation, its members: none of these for `full` cryptography … */
  readonly groups: readonly Identities[];
  /** … which has those instead. */
  readonly sdkGroups: readonly (readonly SdkIdentity[])[];
  /** Messages a second of all together. */
  readonly rate?: number | undefined;
  readonly inFlight?: number | undefined;
  readonly think?: readonly [number, number] | undefined;
  readonly size: number;
  readonly crypto: CryptoMode;
}

export class Talking implements Playing {
  readonly #terms: TalkingTerms;
  readonly #scene: Scene;
  readonly #talks: readonly Talk[];
  /** Is called when a message of a conversation is done. */
  readonly #next: (() => void)[] = [];
  #turns = 0;

  constructor(terms: TalkingTerms, scene: Scene) {
    this.#terms = terms;
    this.#scene = scene;
    const { size, crypto } = terms;
    const origin = new Uint8Array(ORIGIN_BYTES);
    origin.set(scene.run);
    origin.set(scene.runtime.random(ORIGIN_BYTES - RUN_BYTES), RUN_BYTES);
    const filling = new Uint8Array(Math.max(0, size - HEADER_BYTES));
    const part = new Uint8Array(crypto === 'none' ? 0 : LIME_PART_BYTES);
    // As incompressible as what LIME makes, and made once.
    if (crypto === 'cached') for (const bytes of [filling, part]) bytes.set(scene.runtime.random(bytes.length));
    const made = crypto === 'full' ? terms.sdkGroups : terms.groups;
    this.#talks = made.map((identities, group) => {
      const devices = identities.map(({ id }) => id);
      const make = (index: number, events: MemberEvents): Member => {
        const others = devices.filter((_, at) => at !== index);
        const keysFile = terms.sdkGroups[group]?.[index]?.keysFile;
        if (keysFile !== undefined)
          return new SdkMember({ device: devices[index]!, others, keysFile, filling, scene }, events);
        const identity = terms.groups[group]![index]!;
        return new LightMember({ identity, others, filling, part, origin }, scene, events);
      };
      const completed = () => this.#next[group]?.();
      return new Talk({ group, origin, size: Math.max(size, HEADER_BYTES), scene, completed }, devices, make);
    });
  }

  async prepare(): Promise<void> {
    const members = this.#talks.flatMap((talk) => talk.members);
    const links = members.flatMap((member) => (member instanceof LightMember ? [member.link] : []));
    await connectAll(this.#scene, links);
    for (const member of members) await member.open();
    this.#scene.tally.level('online', () => members.filter(({ isOnline }) => isOnline).length);
  }

  async play(from: number, until: number, signal: AbortSignal): Promise<void> {
    const { random, now, patienceMs } = this.#scene;
    const { rate } = this.#terms;
    if (rate === undefined) await this.#closedModel(until, signal);
    else if (this.#talks.length > 0)
      await play({ rate, from, until, random, now, signal }, (intended) => {
        const talk = this.#talks[Math.floor(random() * this.#talks.length)]!;
        talk.send(this.#turns++ % talk.members.length, intended);
      });
    await waitFor(() => this.#talks.every(({ open }) => open === 0), patienceMs, now);
    for (const talk of this.#talks) talk.judge();
  }

  async end(): Promise<void> {
    await Promise.all(this.#talks.flatMap(({ members }) => members.map((member) => member.close())));
  }

  /** Each conversation has `inFlight` messages under way; after each that is done somebody thinks, and then writes. */
  #closedModel(until: number, signal: AbortSignal): Promise<void> {
    const { inFlight = 1, think: [least, most] = [0, 0] } = this.#terms;
    const { random, now } = this.#scene;
    const write = (talk: Talk) => {
      if (signal.aborted || now() >= until) return;
      talk.send(this.#turns++ % talk.members.length, now());
    };
    for (const [group, talk] of this.#talks.entries())
      this.#next[group] = () => {
        const pause = least + random() * (most - least);
        if (pause >= 1) setTimeout(() => write(talk), pause);
        else setImmediate(() => write(talk));
      };
    for (const talk of this.#talks) for (let i = 0; i < inFlight; i++) write(talk);
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#next.length = 0;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, until - now()));
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
