/** A peer without accounts: people are connections that anybody may open. */
import { atOnce } from '@sealwire/light/at-once';
import type { Member, MemberEvents } from '../traffic/member.ts';
import { HEADER_BYTES } from '../traffic/payload.ts';
import type { Conversation, Running } from './target.ts';

/** Connections that are opened at a time. */
const AT_ONCE = 64;

/** One person of a peer: a connection that writes to a topic or reads it. */
export interface Seat {
  readonly topic: string;
  readonly isWriter: boolean;
  /** Of the one who writes. */
  readonly writer: string;
  readonly filling: Uint8Array;
}

/** A peer's way to one connection. `device`: its name; unique among those of the run. */
export type Joining = (device: string, seat: Seat, events: MemberEvents) => Member;

export function plainTarget(terms: {
  readonly version: string;
  readonly pids: readonly number[];
  readonly join: Joining;
  readonly stop: () => Promise<void>;
}): Running {
  const { version, pids, join, stop } = terms;
  const idle: Member[] = [];
  const connect = (members: readonly Member[]) => atOnce(members, AT_ONCE, (member) => member.open());
  return {
    version,
    pids,
    async provide() {},
    membersOf({ topic, members, filling }: Conversation) {
      const names = Array.from({ length: members }, (_, index) => `${topic}-${index}`);
      return names.map((device, index) => ({
        device,
        make: (events) => join(device, { topic, isWriter: index === 0, writer: names[0]!, filling }, events),
      }));
    },
    connect,
    async idle(count) {
      const more = Array.from({ length: count }, (_, index) => {
        const topic = `idle-${idle.length + index}`;
        return join(topic, { topic, isWriter: false, writer: '', filling: new Uint8Array(0) }, SILENT);
      });
      idle.push(...more);
      await connect(more);
    },
    async stop() {
      await Promise.all(idle.map((member) => member.close()));
      await stop();
    },
  };
}

/** Header and filling as one. */
export function contentOf(header: Uint8Array, filling: Uint8Array): Buffer {
  const content = Buffer.allocUnsafe(HEADER_BYTES + filling.length);
  content.set(header);
  content.set(filling, HEADER_BYTES);
  return content;
}

const SILENT: MemberEvents = { received() {}, accepted() {}, refused() {}, leftOut() {} };
