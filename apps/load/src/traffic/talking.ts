/** Chats and groups: many conversations, in the open model (a rate) or the closed one (so many in flight, with pauses). */

import type { Participant, SdkIdentity } from '../identities/identity.ts';
import { NO_RECORDS, type Records } from '../oracle/across.ts';
import type { CryptoMode } from '../plan.ts';
import { type Playing, type Scene, waitFor } from './activity.ts';
import { connectAll } from './connecting.ts';
import { LightMember } from './light-member.ts';
import type { Member, MemberEvents } from './member.ts';
import { HEADER_BYTES, ORIGIN_BYTES, RUN_BYTES } from './payload.ts';
import { play } from './schedule.ts';
import { SdkMember } from './sdk-member.ts';
import { Talk, type TalkMember } from './talk.ts';

/** Of a Double Ratchet message on Curve25519 that carries a seed (docs/spec/lime.md): header 39, seed 32, tag 16. */
export const LIME_PART_BYTES = 87;

/** A worker's part of a chat or a group. */
export interface TalkingTerms {
  /** Of each conversation, its members: none of these for `full` cryptography … */
  readonly groups: readonly (readonly Participant[])[];
  /** … which has those instead. */
  readonly sdkGroups: readonly (readonly SdkIdentity[])[];
  /** Members of a conversation may be at several workers, which know its activity by this number. */
  readonly across?: number | undefined;
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
  readonly #next = new Map<Talk, () => void>();
  #turns = 0;

  constructor(terms: TalkingTerms, scene: Scene) {
    this.#terms = terms;
    this.#scene = scene;
    const { size, crypto } = terms;
    const origin = new Uint8Array(ORIGIN_BYTES);
    origin.set(scene.run);
    if (terms.across === undefined) origin.set(scene.runtime.random(ORIGIN_BYTES - RUN_BYTES), RUN_BYTES);
    else new DataView(origin.buffer).setUint32(RUN_BYTES, terms.across);
    const filling = new Uint8Array(Math.max(0, size - HEADER_BYTES));
    const part = new Uint8Array(crypto === 'none' ? 0 : LIME_PART_BYTES);
    // As incompressible as what LIME makes, and made once.
    if (crypto === 'cached') for (const bytes of [filling, part]) bytes.set(scene.runtime.random(bytes.length));
    const made = crypto === 'full' ? terms.sdkGroups : terms.groups;
    this.#talks = made.flatMap((participants, group) => {
      if (participants.every((one) => 'elsewhere' in one)) return [];
      const members = participants.map((one): TalkMember => {
        const { id: device } = one;
        if ('elsewhere' in one) return { device };
        const others = participants.flatMap(({ id }) => (id === device ? [] : [id]));
        const make = (events: MemberEvents): Member =>
          'keysFile' in one
            ? new SdkMember({ device, others, keysFile: one.keysFile, filling, scene }, events)
            : new LightMember({ identity: one, others, filling, part }, scene, events);
        return { device, make };
      });
      const own: { talk?: Talk } = {};
      const completed = () => own.talk && this.#next.get(own.talk)?.();
      const activity = terms.across ?? 0;
      own.talk = new Talk({ activity, group, origin, size: Math.max(size, HEADER_BYTES), scene, completed }, members);
      return own.talk;
    });
  }

  async prepare(): Promise<void> {
    const members = this.#talks.flatMap((talk) => [...talk.members.values()]);
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
        talk.send(this.#nextOf(talk), intended);
      });
    await waitFor(() => this.#talks.every(({ open }) => open === 0), patienceMs, now);
    for (const talk of this.#talks) talk.judge();
  }

  records(): Records {
    if (this.#terms.across === undefined) return NO_RECORDS;
    return {
      sent: this.#talks.flatMap((talk) => talk.sentRecords()),
      received: this.#talks.flatMap((talk) => talk.receivedRecords()),
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.#talks.flatMap(({ members }) => [...members.values()].map((member) => member.close())));
  }

  /** Who of those that are here writes next. */
  #nextOf({ members }: Talk): number {
    const here = [...members.keys()];
    return here[this.#turns++ % here.length]!;
  }

  /** Each conversation has `inFlight` messages under way; after each that is done somebody thinks, and then writes. */
  #closedModel(until: number, signal: AbortSignal): Promise<void> {
    const { inFlight = 1, think: [least, most] = [0, 0] } = this.#terms;
    const { random, now } = this.#scene;
    const write = (talk: Talk) => {
      if (signal.aborted || now() >= until) return;
      talk.send(this.#nextOf(talk), now());
    };
    for (const talk of this.#talks)
      this.#next.set(talk, () => {
        const pause = least + random() * (most - least);
        if (pause >= 1) setTimeout(() => write(talk), pause);
        else setImmediate(() => write(talk));
      });
    for (const talk of this.#talks) for (let i = 0; i < inFlight; i++) write(talk);
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#next.clear();
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, until - now()));
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
