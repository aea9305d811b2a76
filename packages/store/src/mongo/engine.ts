/**
 * The one connection to a MongoDB-compatible server, and the one place that knows its errors. Only single-document writes are
 * relied on: no transactions, change streams, retryable writes or error texts (docs/adr/0034). A write is repeated here while its
 * outcome is unknown, so each is written such that a repeat changes nothing.
 */
import { type Connection, createConnection, mongo } from 'mongoose';
import { type Fate, type StepPlan, type Steps } from '../faults.ts';
import { StoreError } from '../port.ts';
import { watchHeartbeats } from './heartbeats.ts';
import { pause } from './pause.ts';
import { checkServer, connectionFault, parseUrl } from './server-check.ts';

/** Servers say it in three ways: one document, a batch of them, or (find-and-modify of some) an internal error that names the constraint. */
const DUPLICATE_KEY = 11_000;
/** Interrupted, not primary, shutting down, no quorum, a cursor that is gone, a network of a proxy; 1 and 16908292 are DocumentDB's for "PostgreSQL is down" and "deadlock". */
const UNKNOWN_OUTCOME: ReadonlySet<number> = new Set([
  1, 6, 7, 24, 43, 64, 89, 91, 100, 112, 133, 134, 175, 189, 202, 237, 262, 9_001, 10_058, 10_107, 11_600, 11_602,
  13_388, 13_435, 13_436, 16_908_292,
]);
/** What a server says of codes that are not known here. */
const RETRYABLE = 'RetryableWriteError';
const OUT_OF_DISK_SPACE = 14_031;
/** While the client connects anew (heartbeats.ts). */
const CONNECTS_ANEW: ReadonlySet<string> = new Set([
  'MongoClientClosedError',
  'MongoNotConnectedError',
  'MongoPoolClosedError',
  'MongoTopologyClosedError',
]);
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 40;
const CONNECT_MS = 10_000;
/** An awaited heartbeat takes 10 s and has `CONNECT_MS` more before it fails. */
const HEARTBEAT_MS = 10_000 + CONNECT_MS + 5_000;

export interface EngineTerms {
  readonly url: string;
  /** Refuses a server or a URL that would weaken "accepted means durable". */
  readonly production: boolean;
  /** How long a server may take to be found, ms. */
  readonly patienceMs?: number;
}

/** Reads and writes, told apart because only a write counts as a durable step (`Steps`). */
export class Engine {
  private plan: StepPlan = () => 'done';
  private nth = 0;
  readonly steps: Steps = {
    plan: (plan) => {
      this.plan = plan;
      this.nth = 0;
    },
  };

  private readonly unwatch: () => void;

  private constructor(readonly connection: Connection) {
    this.unwatch = watchHeartbeats(connection.getClient(), HEARTBEAT_MS);
  }

  /** Rejects with a `StoreError` of one line. */
  static async connect({ url, production, patienceMs = 5_000 }: EngineTerms): Promise<Engine> {
    parseUrl(url, production);
    const connection = createConnection(url, {
      autoCreate: false,
      autoIndex: false,
      bufferCommands: false,
      promoteBuffers: true,
      retryWrites: false,
      sanitizeFilter: true,
      connectTimeoutMS: CONNECT_MS,
      serverSelectionTimeoutMS: patienceMs,
      ...(production && { writeConcern: { w: 'majority', journal: true } }),
      readConcernLevel: 'majority',
      readPreference: 'primary',
    });
    try {
      await connection.asPromise();
      await checkServer(connection, production);
    } catch (error) {
      await connection.close();
      throw connectionFault(error) ?? storeErrorOf(error);
    }
    return new Engine(connection);
  }

  read<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    return repeated(question);
  }

  /** One durable step, which may be carried out more than once. */
  async write<Answer>(change: () => Promise<Answer>): Promise<Answer> {
    const planned = this.plan(++this.nth);
    const fate: Fate = typeof planned === 'string' ? planned : await planned;
    if (fate === 'failed') throw new StoreError('unavailable', 'a step was made to fail');
    const answer = await repeated(change);
    if (fate === 'failed-but-persisted') throw new StoreError('unavailable', 'a step was made to lose its answer');
    return answer;
  }

  async close(): Promise<void> {
    this.unwatch();
    await this.connection.close();
  }
}

/** Whether a write was refused because its `_id` is there already. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY;
}

/** The places of a batch whose `_id` was there already. Undefined: it failed in another way. */
export function duplicatesIn(error: unknown): number[] | undefined {
  if (!(error instanceof mongo.MongoBulkWriteError)) return undefined;
  const errors = [error.writeErrors].flat();
  // None: the batch failed as a whole, and nobody answered for its documents.
  if (errors.length === 0 || errors.some(({ code }) => code !== DUPLICATE_KEY)) return undefined;
  return error.result.getWriteConcernError() ? undefined : errors.map(({ index }) => index);
}

/** What the port says of an error of the driver. Its text stays in `cause`: it may carry what users wrote. */
export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const fault = error instanceof mongo.MongoServerError ? connectionFault(error) : undefined;
  if (fault) return fault;
  if (error instanceof mongo.MongoServerError && error.code === OUT_OF_DISK_SPACE)
    return new StoreError('unavailable', 'no space left on the disk of the database; free some', { cause: error });
  const code = error instanceof mongo.MongoServerError ? ` (code ${error.code})` : '';
  const name = error instanceof Error ? error.name : 'error';
  return new StoreError('unavailable', `the database did not answer as it should: ${name}${code}`, { cause: error });
}

async function repeated<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS || !isUnknownOutcome(error)) throw error;
      await pause(FIRST_WAIT_MS * 2 ** attempt);
    }
  }
}

function isUnknownOutcome(error: unknown): boolean {
  if (error instanceof mongo.MongoNetworkError || error instanceof mongo.MongoServerSelectionError) return true;
  if (error instanceof mongo.MongoDriverError && CONNECTS_ANEW.has(error.name)) return true;
  if (!(error instanceof mongo.MongoServerError)) return false;
  if (error.hasErrorLabel(RETRYABLE)) return true;
  if (error instanceof mongo.MongoBulkWriteError) {
    if (error.result.getWriteConcernError()) return true;
    // Of a batch that failed as a whole the driver keeps what was thrown, be it of the network.
    if (error.errorResponse instanceof Error && isUnknownOutcome(error.errorResponse)) return true;
    if ([error.writeErrors].flat().some(({ code }) => UNKNOWN_OUTCOME.has(code))) return true;
  }
  return typeof error.code === 'number' && UNKNOWN_OUTCOME.has(error.code);
}

/** The answers of all; rejects like the first that rejects, but only when all have ended: a call that failed changes nothing later. */
export async function together<Answer>(parts: readonly (Promise<Answer> | Answer)[]): Promise<Answer[]> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}
