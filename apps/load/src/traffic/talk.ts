/**
 * One conversation: members write to all the others, and each message is followed from its intended time to its last recipient. Members
 * may be at other workers (`--across`): what is known of them here is their device, and both sides keep records that are judged together.
 */
import type { ReceivedRecord, SentRecord } from '../oracle/across.ts';
import { Stream } from '../oracle/oracle.ts';
import type { Scene } from './activity.ts';
import type { Member, MemberEvents } from './member.ts';
import { HEADER_BYTES, isOfRun, readHeader, writeHeader } from './payload.ts';

interface Open {
  readonly intended: number;
  /** Indexes of the members here that do not have it. */
  readonly waiting: Set<number>;
  accepted: boolean;
}

export interface TalkTerms {
  /** The activity's number in the phase, and the conversation's in the activity: the same for all workers that have a part of it. */
  readonly activity: number;
  readonly group: number;
  /** `ORIGIN_BYTES`. */
  readonly origin: Uint8Array;
  readonly size: number;
  readonly scene: Scene;
  /** A message is accepted, and with all members that are here. */
  readonly completed: () => void;
}

export interface TalkMember {
  readonly device: string;
  /** Undefined: it is at another worker. */
  readonly make?: ((events: MemberEvents) => Member) | undefined;
}

export class Talk {
  /** Those that are here, by their index. */
  readonly members: ReadonlyMap<number, Member>;
  readonly #terms: TalkTerms;
  readonly #devices: readonly string[];
  readonly #sent: number[];
  readonly #open: Map<number, Open>[];
  /** By sender: numbers that do not come, to anybody or (by index) to one. */
  readonly #refused: number[][];
  readonly #leftOut: Map<number, number[]>[];
  /** By recipient, then sender. */
  readonly #streams: Stream[][];

  constructor(terms: TalkTerms, members: readonly TalkMember[]) {
    this.#terms = terms;
    this.#devices = members.map(({ device }) => device);
    this.members = new Map(
      members.flatMap(({ make }, index) => (make ? [[index, make(this.#eventsOf(index))] as const] : [])),
    );
    this.#sent = members.map(() => 0);
    this.#open = members.map(() => new Map());
    this.#refused = members.map(() => []);
    this.#leftOut = members.map(() => new Map());
    this.#streams = this.#devices.map((to) =>
      this.#devices.map((from) => new Stream(`${from} to ${to}`, this.#terms.scene.offences)),
    );
  }

  /** Messages under way. */
  get open(): number {
    return this.#open.reduce((sum, { size }) => sum + size, 0);
  }

  /** `member` is here; `intended`: by the scene's clock. */
  send(member: number, intended: number): void {
    const { group, origin, scene } = this.#terms;
    const number = this.#sent[member]! + 1;
    this.#sent[member] = number;
    const waiting = new Set(this.members.keys());
    waiting.delete(member);
    this.#open[member]!.set(number, { intended, waiting, accepted: false });
    const header = new Uint8Array(HEADER_BYTES);
    writeHeader(header, origin, { group, member, number, intended });
    scene.tally.count('sent');
    scene.tally.time('late', scene.now() - intended);
    this.members.get(member)!.send(number, header);
  }

  /** All had its time: what is missing now is lost. */
  judge(): void {
    const { offences } = this.#terms.scene;
    for (const [member, open] of this.#open.entries())
      for (const [number, { waiting, accepted }] of open) {
        const text = `message ${number} of ${this.#devices[member]}`;
        if (!accepted) offences.add('notAccepted', text);
        else for (const index of waiting) offences.add('lost', `${text} to ${this.#devices[index]}`);
      }
  }

  /** Of streams from here to other workers. */
  sentRecords(): SentRecord[] {
    const { activity, group } = this.#terms;
    const remote = [...this.#devices.keys()].filter((index) => !this.members.has(index));
    return [...this.members.keys()].flatMap((from) => {
      const unaccepted = [...this.#open[from]!].filter(([, { accepted }]) => !accepted).map(([number]) => number);
      return remote.map((to) => ({
        stream: `${activity} ${group} ${from} ${to}`,
        name: `${this.#devices[from]} to ${this.#devices[to]}`,
        sent: this.#sent[from]!,
        notDue: [...this.#refused[from]!, ...unaccepted, ...(this.#leftOut[from]!.get(to) ?? [])],
      }));
    });
  }

  /** Of streams from other workers to here. */
  receivedRecords(): ReceivedRecord[] {
    const { activity, group } = this.#terms;
    const remote = [...this.#devices.keys()].filter((index) => !this.members.has(index));
    return [...this.members.keys()].flatMap((to) =>
      remote.map((from) => ({ stream: `${activity} ${group} ${from} ${to}`, ...this.#streams[to]![from]!.record() })),
    );
  }

  #eventsOf(index: number): MemberEvents {
    const { tally, now } = this.#terms.scene;
    return {
      received: (device, bytes) => this.#received(index, device, bytes),
      accepted: (number) => {
        const message = this.#open[index]!.get(number);
        if (!message) return;
        tally.count('accepted');
        tally.time('accept', now() - message.intended);
        message.accepted = true;
        this.#closeIfDone(index, number, message);
      },
      refused: (number, code) => {
        tally.count('refused');
        tally.count(`refused ${code}`);
        this.#open[index]!.delete(number);
        this.#refused[index]!.push(number);
        for (const streams of this.#streams) streams[index]!.excuse(number);
        this.#terms.completed();
      },
      leftOut: (number, devices) => {
        tally.count('leftOut', devices.length);
        const message = this.#open[index]!.get(number);
        for (const [other, device] of this.#devices.entries())
          if (message && devices.includes(device)) {
            message.waiting.delete(other);
            this.#streams[other]![index]!.excuse(number);
            this.#leftOut[index]!.set(other, [...(this.#leftOut[index]!.get(other) ?? []), number]);
          }
      },
    };
  }

  #received(index: number, device: string, bytes: Uint8Array): void {
    const { group, origin, size, scene } = this.#terms;
    const { tally, now, offences } = scene;
    const header = readHeader(bytes, origin);
    if (!header) {
      if (isOfRun(bytes, scene.run))
        offences.add('foreign', `a message of another conversation at ${this.#devices[index]} from ${device}`);
      // Of a run that was broken off, or of an earlier phase whose last acknowledgements were lost.
      else tally.count('leftovers');
      return;
    }
    const { member, number, intended } = header;
    const text = `message ${number} of member ${member} of group ${header.group} at ${this.#devices[index]}`;
    const isTheirs = header.group === group && member !== index && this.#devices[member] === device;
    // What another worker's member has sent is judged with its records.
    if (!isTheirs || (this.members.has(member) && number > this.#sent[member]!)) {
      offences.add('foreign', `${text} from ${device}${isTheirs ? ': nobody has sent it' : ''}`);
      return;
    }
    if (bytes.length !== size) offences.add('damaged', `${text}: ${bytes.length} bytes for ${size}`);
    if (!this.#streams[index]![member]!.received(number)) return;
    tally.count('delivered');
    const message = this.#open[member]!.get(number);
    // From another worker: all have the conductor's clock.
    if (message || !this.members.has(member)) tally.time('deliver', now() - intended);
    if (!message) return;
    message.waiting.delete(index);
    this.#closeIfDone(member, number, message);
  }

  #closeIfDone(member: number, number: number, message: Open): void {
    if (!message.accepted || message.waiting.size > 0) return;
    this.#open[member]!.delete(number);
    this.#terms.completed();
  }
}
