/** One conversation: members write to all the others, and each message is followed from its intended time to its last recipient. */
import { Stream } from '../oracle/oracle.ts';
import type { Scene } from './activity.ts';
import type { Member, MemberEvents } from './member.ts';
import { HEADER_BYTES, isOfRun, readHeader, writeHeader } from './payload.ts';

interface Open {
  readonly intended: number;
  /** Indexes of the members that do not have it. */
  readonly waiting: Set<number>;
  accepted: boolean;
}

export interface TalkTerms {
  readonly group: number;
  /** `ORIGIN_BYTES`. */
  readonly origin: Uint8Array;
  readonly size: number;
  readonly scene: Scene;
  /** A message is accepted and everywhere. */
  readonly completed: () => void;
}

export class Talk {
  readonly members: readonly Member[];
  readonly #terms: TalkTerms;
  readonly #sent: number[];
  readonly #open: Map<number, Open>[];
  /** By recipient, then sender. */
  readonly #streams: Stream[][];

  /** `make` gives member `index`, which tells `events` what happens to it. */
  constructor(terms: TalkTerms, devices: readonly string[], make: (index: number, events: MemberEvents) => Member) {
    this.#terms = terms;
    this.members = devices.map((_, index) => make(index, this.#eventsOf(index)));
    this.#sent = devices.map(() => 0);
    this.#open = devices.map(() => new Map());
    this.#streams = devices.map((to) =>
      devices.map((from) => new Stream(`${from} to ${to}`, this.#terms.scene.offences)),
    );
  }

  /** Messages under way. */
  get open(): number {
    return this.#open.reduce((sum, { size }) => sum + size, 0);
  }

  /** `intended`: by the scene's clock. */
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
    this.members[member]!.send(number, header);
  }

  /** All had its time: what is missing now is lost. */
  judge(): void {
    const { offences } = this.#terms.scene;
    for (const [member, open] of this.#open.entries())
      for (const [number, { waiting, accepted }] of open) {
        const text = `message ${number} of ${this.members[member]!.device}`;
        if (!accepted) offences.add('notAccepted', text);
        else for (const index of waiting) offences.add('lost', `${text} to ${this.members[index]!.device}`);
      }
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
        for (const streams of this.#streams) streams[index]!.excuse(number);
        this.#terms.completed();
      },
      leftOut: (number, devices) => {
        tally.count('leftOut', devices.length);
        const message = this.#open[index]!.get(number);
        for (const [other, { device }] of this.members.entries())
          if (message && devices.includes(device)) {
            message.waiting.delete(other);
            this.#streams[other]![index]!.excuse(number);
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
        offences.add('foreign', `a message of another conversation at ${this.members[index]!.device} from ${device}`);
      // Of a run that was broken off, or of an earlier phase whose last acknowledgements were lost.
      else tally.count('leftovers');
      return;
    }
    const { member, number } = header;
    const text = `message ${number} of member ${member} of group ${header.group} at ${this.members[index]!.device}`;
    const isTheirs = header.group === group && member !== index && this.members[member]?.device === device;
    if (!isTheirs || number > this.#sent[member]!) {
      offences.add('foreign', `${text} from ${device}${isTheirs ? ': nobody has sent it' : ''}`);
      return;
    }
    if (bytes.length !== size) offences.add('damaged', `${text}: ${bytes.length} bytes for ${size}`);
    if (!this.#streams[index]![member]!.received(number)) return;
    tally.count('delivered');
    const message = this.#open[member]!.get(number);
    if (!message) return;
    tally.time('deliver', now() - message.intended);
    message.waiting.delete(index);
    this.#closeIfDone(member, number, message);
  }

  #closeIfDone(member: number, number: number, message: Open): void {
    if (!message.accepted || message.waiting.size > 0) return;
    this.#open[member]!.delete(number);
    this.#terms.completed();
  }
}
