/**
 * How events come into a log (docs/spec/groups.md section 3): those whose past is here are judged, the others wait, within bounds. Works
 * on lists of its own; `log.ts` makes a log of them.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import {
  decodeGroupEvent,
  groupEventHash,
  groupEventSigningInput,
  type SignedGroupEvent,
} from '@sealwire/wire/group-event';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';
import { MembershipError, type RefusalCode } from './errors.ts';
import { unionOf } from './places.ts';
import { accountName, hex, type LogRecord, type Records } from './records.ts';
import { basisOf, type Candidate, checkSignature, keyOfActor } from './rules.ts';
import { invitedKey, isSame, View } from './view.ts';

/** An event that has come and is not in the log yet. */
interface Waiting extends Omit<Candidate, 'previous'> {
  readonly signed: SignedGroupEvent;
  readonly hash: Uint8Array;
  readonly name: string;
  /** Names of all that it follows directly, the actor's own event before among them. */
  readonly follows: readonly string[];
}

/** By name and signature: who spoils a signature keeps no good one out. */
export type WaitingRoom = ReadonlyMap<string, Waiting>;

/** What the past of an event decides; only a good signature makes these final for all that follow it. */
const FOR_NOW: ReadonlySet<RefusalCode> = new Set(['bad-signature', 'too-many-events']);

export class Intake {
  readonly accepted: LogRecord[] = [];
  readonly refused: { readonly signed: SignedGroupEvent; readonly code: RefusalCode }[] = [];
  private readonly room: Map<string, Waiting>;
  private readonly ids = new Map<string, Set<string>>();
  private readonly children = new Map<string, Set<string>>();

  constructor(
    private readonly crypto: CryptoProvider,
    /** The intake’s own: it grows. */
    readonly records: Records,
    room: WaitingRoom,
    /** False for what this device has verified before. */
    private readonly verify: boolean,
  ) {
    this.room = new Map();
    for (const [id, waiting] of room) this.keep(id, waiting);
  }

  get waiting(): WaitingRoom {
    return this.room;
  }

  take(events: readonly SignedGroupEvent[]): void {
    for (const signed of events) {
      const waiting = this.read(signed);
      if (!waiting || this.records.named(waiting.name)) continue;
      const id = waiting.name + hex(waiting.signature);
      if (this.room.has(id)) continue;
      // In a full log nothing waits: it would be asked for again and again.
      if (this.records.size >= LIMITS.groupEvents.value) {
        this.refuse(signed, 'too-many-events');
        continue;
      }
      this.keep(id, waiting);
      // One of these may have waited for somebody to build on it.
      for (const parent of waiting.follows) this.settle(this.idsOf(parent));
      this.settle([id]);
    }
    for (const [id, { signed }] of this.room) {
      if (this.room.size <= LIMITS.groupPending.value) break;
      this.drop(id);
      this.refuse(signed, 'too-many-pending');
    }
  }

  private read(signed: SignedGroupEvent): Waiting | undefined {
    try {
      const encoded = signed.event.slice();
      const signature = signed.signature.slice();
      const event = decodeGroupEvent(encoded);
      const hash = groupEventHash(this.crypto, encoded);
      const name = hex(hash);
      this.checkGroup(event.action.kind === 'create' ? hash : event.group, name);
      const follows = [...event.parents, ...(event.previous.length > 0 ? [event.previous] : [])].map(hex);
      return { event, encoded, signature, signed: { event: encoded, signature }, hash, name, follows };
    } catch (error) {
      if (error instanceof WireError) this.refuse(signed, 'bad-group-event');
      else if (error instanceof MembershipError) this.refuse(signed, error.code);
      else throw error;
      return undefined;
    }
  }

  private checkGroup(group: Uint8Array, name: string): void {
    const created = this.records.inOrder[0];
    if (created && !isSame(created.hash, group))
      throw new MembershipError(name === hex(group) ? 'second-create' : 'wrong-group');
    if (!created && name !== hex(group)) throw new MembershipError('wrong-group');
  }

  /** Judges these, and those that waited for them. */
  private settle(ids: Iterable<string>): void {
    const queue = [...ids];
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const waiting = this.room.get(id);
      if (!waiting) continue;
      if (this.records.named(waiting.name)) {
        this.drop(id);
        continue;
      }
      const parents = waiting.follows.flatMap((name) => this.records.named(name) ?? []);
      if (parents.length < waiting.follows.length) continue;
      try {
        const record = this.judge(waiting, parents);
        if (!record) continue;
        this.records.push(record, parents);
        this.accepted.push(record);
        queue.push(...this.idsAfter(waiting.name));
      } catch (error) {
        if (!(error instanceof MembershipError)) throw error;
        this.refuse(waiting.signed, error.code);
        if (!FOR_NOW.has(error.code)) this.refuseAfter(waiting.name);
      }
      this.drop(id);
    }
  }

  /** Undefined: it waits until somebody else builds on it. Throws `MembershipError`. */
  private judge(waiting: Waiting, parents: readonly LogRecord[]): LogRecord | undefined {
    const { event, encoded, signature, signed, hash, name } = waiting;
    const past = unionOf(
      parents.map((parent) => parent.past),
      parents.map(({ place }) => place),
      this.records.size,
    );
    const view = new View(this.records, past);
    const previous = event.number > 1 ? this.records.named(hex(event.previous)) : undefined;
    const candidate = { event, encoded, signature, previous };
    const key = keyOfActor(this.records, view, candidate);
    if (this.verify) checkSignature(this.crypto, key, candidate);
    const basis = basisOf(this.crypto, this.records, view, event, key);
    const bytes = encoded.length + signature.length;
    const chainBytes = (previous?.chainBytes ?? 0) + bytes;
    if (
      event.number > LIMITS.groupEventsPerMember.value ||
      chainBytes > LIMITS.groupLogBytesPerMember.value ||
      this.records.size >= LIMITS.groupEvents.value ||
      this.records.bytes + bytes > LIMITS.groupLogBytes.value
    )
      throw new MembershipError('too-many-events');
    const branches = this.records.numbered(accountName(event.actor), key, event.number).length;
    if (branches >= LIMITS.groupBranches.value && this.verify && !this.isBuiltUpon(waiting)) return undefined;
    const depth = parents.reduce((deepest, parent) => Math.max(deepest, parent.depth + 1), 0);
    return { place: this.records.size, hash, name, signed, event, past, depth, key, chainBytes, ...basis };
  }

  /** Whether somebody else, whose key the log knows, has signed an event that follows this one directly. */
  private isBuiltUpon({ name, event: { actor } }: Waiting): boolean {
    return this.idsAfter(name).some((id) => {
      const { event, encoded, signature } = this.room.get(id)!;
      const account = accountName(event.actor);
      if (account === accountName(actor)) return false;
      const keys = this.records.about(account).flatMap((record) => invitedKey(record, account) ?? keyIn(record));
      return keys.some((key) => this.crypto.ed25519.verify(key, groupEventSigningInput(encoded), signature));
    });
  }

  /** All that waits and follows an event which is never to be part of the log. */
  private refuseAfter(name: string): void {
    const ids = this.idsAfter(name);
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
      const waiting = this.room.get(id);
      if (!waiting) continue;
      ids.push(...this.idsAfter(waiting.name));
      this.drop(id);
      this.refuse(waiting.signed, 'refused-parent');
    }
  }

  private refuse(signed: SignedGroupEvent, code: RefusalCode): void {
    this.refused.push({ signed, code });
  }

  private idsOf(name: string): string[] {
    return [...(this.ids.get(name) ?? [])];
  }

  private idsAfter(name: string): string[] {
    return [...(this.children.get(name) ?? [])];
  }

  private keep(id: string, waiting: Waiting): void {
    this.room.set(id, waiting);
    add(this.ids, waiting.name, id);
    for (const parent of waiting.follows) add(this.children, parent, id);
  }

  private drop(id: string): void {
    const waiting = this.room.get(id)!;
    this.room.delete(id);
    remove(this.ids, waiting.name, id);
    for (const parent of waiting.follows) remove(this.children, parent, id);
  }
}

function keyIn({ key, event: { action } }: LogRecord): Uint8Array[] {
  return action.kind === 'create' || action.kind === 'join-link' ? [key] : [];
}

function add(sets: Map<string, Set<string>>, name: string, id: string): void {
  const set = sets.get(name);
  if (set) set.add(id);
  else sets.set(name, new Set([id]));
}

function remove(sets: Map<string, Set<string>>, name: string, id: string): void {
  const set = sets.get(name);
  set?.delete(id);
  if (set?.size === 0) sets.delete(name);
}
