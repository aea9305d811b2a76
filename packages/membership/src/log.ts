/**
 * The membership log of one group: signed events, each after those that its actor knew (docs/spec/groups.md sections 2 and 3). A log never
 * changes; `add` answers another. Two logs with the same events say the same, in whatever order these came.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import {
  decodeGroupEvents,
  encodeGroupEvents,
  type GroupEvent,
  groupAddressOf,
  type SignedGroupEvent,
} from '@sealwire/wire/group-event';
import type { AccountAddress } from '@sealwire/wire/ids';
import { MembershipError, type RefusalCode } from './errors.ts';
import { Intake, type WaitingRoom } from './intake.ts';
import { unionOf } from './places.ts';
import { accountName, hex, type LogRecord, Records } from './records.ts';
import { View } from './view.ts';

/** An event that is part of the log. */
export interface AcceptedEvent {
  readonly hash: Uint8Array;
  readonly event: GroupEvent;
  readonly signed: SignedGroupEvent;
}

/** Never part of this log, on any device; `too-many-events` and `too-many-pending` are for this one alone. */
export interface RefusedEvent {
  readonly signed: SignedGroupEvent;
  readonly code: RefusalCode;
}

/**
 * Two different events that one account signed for the same place in its chain. Both count. It is a lie that was told to different people,
 * or two devices of the account at once, or one that was restored from a backup.
 */
export interface Fork {
  readonly account: AccountAddress;
  readonly number: number;
  /** Evidence: both are signed with the same account key. */
  readonly events: readonly [SignedGroupEvent, SignedGroupEvent];
}

export interface Addition {
  readonly log: Log;
  /** Parents first, with those that had waited for them. What was in the log already is not among them. */
  readonly accepted: readonly AcceptedEvent[];
  readonly refused: readonly RefusedEvent[];
  /** Those that the log did not show before. */
  readonly forks: readonly Fork[];
}

export class Log {
  private constructor(
    readonly crypto: CryptoProvider,
    /** For the files of this package. */
    readonly records: Records,
    private readonly waiting: WaitingRoom,
  ) {}

  /** A log of the event that creates a group. Throws `MembershipError`. */
  static of(crypto: CryptoProvider, created: SignedGroupEvent): Log {
    return Log.from(crypto, [created], true);
  }

  /** A log that somebody sent, whole: the group must be this one. Throws `MembershipError` when the first event did not create it. */
  static received(crypto: CryptoProvider, group: Uint8Array, events: readonly SignedGroupEvent[]): Addition {
    const [created, ...others] = events;
    if (!created) throw new MembershipError('bad-group-event', 'a log without events');
    const log = Log.of(crypto, created);
    if (!crypto.equal(log.group, group)) throw new MembershipError('wrong-group');
    const { accepted, ...rest } = log.add(others);
    return { ...rest, accepted: [...log.events, ...accepted] };
  }

  /**
   * A log that this device encoded and kept: signatures are not looked at again. What others sent comes in by the other ways.
   * Throws `WireError` `bad-group-event` or `MembershipError` for what is not one.
   */
  static decode(crypto: CryptoProvider, kept: Uint8Array): Log {
    return Log.from(crypto, decodeGroupEvents(kept), false);
  }

  private static from(crypto: CryptoProvider, events: readonly SignedGroupEvent[], verify: boolean): Log {
    const { log, refused } = new Log(crypto, new Records(), new Map()).take(events, verify);
    if (refused[0]) throw new MembershipError(refused[0].code);
    if (log.size < Math.max(1, events.length)) throw new MembershipError('bad-group-event', 'not a whole log');
    return log;
  }

  /** Hash of the event that created the group: 32 bytes. */
  get group(): Uint8Array {
    return this.records.inOrder[0]!.hash;
  }

  /** What messages of the group are encrypted for. */
  get address(): AccountAddress {
    return groupAddressOf(this.group);
  }

  /** How many events are in it. */
  get size(): number {
    return this.records.size;
  }

  /** Hashes of the events that no other follows, ascending: they stand for the whole log. */
  get heads(): readonly Uint8Array[] {
    return [...this.records.heads].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ hash }) => hash);
  }

  /** Hashes of what is not here though something that came follows it: to be asked for. */
  get missing(): readonly Uint8Array[] {
    const here = new Set([...this.waiting.values()].map(({ name }) => name));
    const missing = new Map<string, Uint8Array>();
    for (const { event } of this.waiting.values())
      for (const hash of event.number > 1 ? [...event.parents, event.previous] : event.parents) {
        const name = hex(hash);
        if (!here.has(name) && !this.records.named(name)) missing.set(name, hash);
      }
    return [...missing.values()];
  }

  /** How many events wait for others. */
  get pending(): number {
    return this.waiting.size;
  }

  has(hash: Uint8Array): boolean {
    return this.records.named(hex(hash)) !== undefined;
  }

  /** All that is in it, parents first. */
  get events(): readonly AcceptedEvent[] {
    return this.records.inOrder;
  }

  /** What somebody with these heads lacks, parents first. Heads that are not here are as if not named. */
  since(heads: readonly Uint8Array[]): readonly SignedGroupEvent[] {
    const view = this.viewOf(heads.filter((hash) => this.has(hash)));
    return this.records.inOrder.filter((record) => !view.has(record)).map(({ signed }) => signed);
  }

  /** Every fork that the log shows. */
  get forks(): readonly Fork[] {
    return this.records.inOrder.flatMap((record) => this.forkWith(record));
  }

  /** What is in it, without what waits: for `decode`, and in pieces for others. */
  encode(): Uint8Array<ArrayBuffer> {
    return encodeGroupEvents(this.records.inOrder.map(({ signed }) => signed));
  }

  /** Takes events that others sent, in any order, for the first time or again. Throws nothing of theirs. */
  add(events: readonly SignedGroupEvent[]): Addition {
    return this.take(events, true);
  }

  /** What the events with these hashes and those that they follow say. Throws `MembershipError` for one that is not here. */
  viewOf(heads: readonly Uint8Array[]): View {
    const known = heads.map((hash) => {
      const record = this.records.named(hex(hash));
      if (!record) throw new MembershipError('no-such-event');
      return record;
    });
    const pasts = known.map(({ past }) => past);
    const places = known.map(({ place }) => place);
    return new View(this.records, unionOf(pasts, places, this.records.size));
  }

  private take(events: readonly SignedGroupEvent[], verify: boolean): Addition {
    const intake = new Intake(this.crypto, this.records.copy(), this.waiting, verify);
    intake.take(events);
    const log = new Log(this.crypto, intake.records, intake.waiting);
    const { accepted, refused } = intake;
    return { log, accepted, refused, forks: accepted.flatMap((record) => log.forkWith(record)) };
  }

  private forkWith(record: LogRecord): Fork[] {
    const { actor: account, number } = record.event;
    const [first] = this.records.numbered(accountName(account), record.key, number);
    return first === record ? [] : [{ account, number, events: [first!.signed, record.signed] }];
  }
}
