/**
 * Judges conversations whose members are at several workers. A stream's sender says what it sent and what of it is not due, its recipient
 * what has come: order and doublets the recipient sees by itself, what is missing only both together.
 */
import { Offences, type Verdict } from './oracle.ts';

/** Of one stream, from one device to another one. */
export interface SentRecord {
  /** Activity, conversation, writer and reader, as numbers: the same on both sides. */
  readonly stream: string;
  /** For people. */
  readonly name: string;
  /** Messages: they are numbered from 1. */
  readonly sent: number;
  /** Numbers that the server refused, had no room for or never answered. */
  readonly notDue: readonly number[];
}

export interface ReceivedRecord {
  readonly stream: string;
  /** The highest number that has come. */
  readonly newest: number;
  /** Numbers below it that have not. */
  readonly missing: readonly number[];
}

export interface Records {
  readonly sent: readonly SentRecord[];
  readonly received: readonly ReceivedRecord[];
}

export const NO_RECORDS: Records = { sent: [], received: [] };

/** Of all workers together. */
export function judgeAcross(records: readonly Records[]): Verdict {
  const offences = new Offences();
  const received = new Map(records.flatMap((own) => own.received.map((record) => [record.stream, record])));
  for (const { stream, name, sent, notDue } of records.flatMap((own) => own.sent)) {
    const { newest, missing } = received.get(stream) ?? { newest: 0, missing: [] };
    for (let number = sent + 1; number <= newest; number++)
      offences.add('foreign', `message ${number} of ${name}: nobody has sent it`);
    const excused = new Set(notDue);
    for (const number of missing) if (!excused.has(number)) offences.add('lost', `message ${number} of ${name}`);
    for (let number = newest + 1; number <= sent; number++)
      if (!excused.has(number)) offences.add('lost', `message ${number} of ${name}`);
  }
  return offences.verdict();
}

/** Whether somebody still waits for a message. */
export function isComplete(records: readonly Records[]): boolean {
  return judgeAcross(records).offences.lost === 0;
}
