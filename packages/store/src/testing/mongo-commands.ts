/** What a store asks of its server, as the driver tells of it (`monitorCommands`), and how the server would find the answers. */
import type { mongo } from 'mongoose';
import { openDocuments } from '../mongo/documents.ts';
import { Engine } from '../mongo/engine.ts';
import type { Ground } from '../mongo/ground.ts';
import { checkSchema } from '../mongo/schema.ts';

type Command = Readonly<Record<string, unknown>>;

/** A question of a command: which documents it wants, by which filter. */
export interface Question {
  readonly command: string;
  readonly collection: string;
  readonly filter: Command;
  readonly rest: Command;
}

/** A ground whose commands are seen: `seen` begins anew with each `forget`. */
export interface Watched {
  readonly ground: Ground;
  /** Names and collections, in their order. */
  commands(): string[];
  questions(): Question[];
  /** Bytes of message bodies that came as answers. */
  bodyBytes(): number;
  forget(): void;
  close(): Promise<void>;
}

export async function watch(url: string): Promise<Watched> {
  const engine = await Engine.connect({
    url: `${url}${url.includes('?') ? '&' : '?'}monitorCommands=true`,
    production: false,
  });
  let seen: { readonly name: string; readonly command: Command }[] = [];
  engine.connection.getClient().on('commandStarted', ({ commandName, command }: mongo.CommandStartedEvent) => {
    // The driver's own, of watching servers and ending sessions, are not the store's.
    if (!['hello', 'endSessions', 'killCursors', 'ping'].includes(commandName))
      seen.push({ name: commandName, command });
  });
  let bodyBytes = 0;
  engine.connection.getClient().on('commandSucceeded', ({ reply }: mongo.CommandSucceededEvent) => {
    const { cursor } = reply as { cursor?: Record<'firstBatch' | 'nextBatch', { body?: mongo.Binary }[] | undefined> };
    for (const { body } of [...(cursor?.firstBatch ?? []), ...(cursor?.nextBatch ?? [])])
      bodyBytes += body ? lengthOf(body) : 0;
  });
  await checkSchema(engine);
  const ground = { engine, documents: openDocuments(engine.connection) };
  return {
    ground,
    commands: () => seen.map(({ name, command }) => `${name} ${command[name === 'getMore' ? 'collection' : name]}`),
    questions: () => seen.flatMap(({ name, command }) => questionsOf(name, command)),
    bodyBytes: () => bodyBytes,
    forget() {
      seen = [];
      bodyBytes = 0;
    },
    close: () => engine.close(),
  };
}

function lengthOf(body: mongo.Binary | Buffer): number {
  return Buffer.isBuffer(body) ? body.length : body.position;
}

function questionsOf(command: string, body: Command): Question[] {
  const collection = body[command] as string;
  switch (command) {
    case 'find': {
      const { sort, limit, projection } = body;
      return [
        {
          command,
          collection,
          filter: body['filter'] as Command,
          rest: { ...(sort ? { sort } : {}), ...(limit ? { limit } : {}), ...(projection ? { projection } : {}) },
        },
      ];
    }
    case 'findAndModify':
      return [{ command, collection, filter: body['query'] as Command, rest: {} }];
    case 'update':
    case 'delete':
      return (body[`${command}s`] as { q: Command }[]).map(({ q }) => ({ command, collection, filter: q, rest: {} }));
    default:
      return [];
  }
}

/** The index by which a server finds the answers, and how many documents it looks at beside those that `_id` names. */
export interface Access {
  readonly index: string;
  /** Whether the index was asked for a part of it: a scan of all of an index has its name too. */
  readonly isBounded: boolean;
  /** Undefined where the server does not say. */
  readonly inVain: number | undefined;
}

/** Asked as a find of the same filter: not every server explains its writes. */
export async function explained({ engine }: Ground, { collection, filter, rest }: Question): Promise<Access[]> {
  const answer = await engine.connection.db!.command({
    explain: { find: collection, filter, ...rest },
    verbosity: 'executionStats',
  });
  const { queryPlanner, executionStats } = answer as { queryPlanner: Command; executionStats?: Command };
  if (queryPlanner['Plan'] !== undefined) return postgresScans(queryPlanner['Plan']);
  const { totalDocsExamined } = executionStats as { totalDocsExamined: number };
  // What a compare-and-set compares has changed since: all that its `_id` names is asked for.
  const wanted = filter['_id'] === undefined ? filter : { _id: filter['_id'] };
  const there = await engine.connection.db!.collection(collection).countDocuments(wanted as object);
  return mongodScans(queryPlanner['winningPlan'], totalDocsExamined - there);
}

/** Of a mongod's plan, whose stages are in each other as `inputStage` or `inputStages`; of a sharded one, as `shards`. */
function mongodScans(plan: unknown, inVain: number): Access[] {
  if (Array.isArray(plan)) return plan.flatMap((one) => mongodScans(one, inVain));
  if (typeof plan !== 'object' || plan === null) return [];
  const { stage, indexName, indexBounds, ...rest } = plan as Command;
  if (stage === 'COLLSCAN') return [{ index: 'none', isBounded: false, inVain }];
  if (['IDHACK', 'EXPRESS_IXSCAN', 'CLUSTERED_IXSCAN'].includes(String(stage)))
    return [{ index: String(indexName ?? '_id_'), isBounded: true, inVain }];
  if (stage === 'IXSCAN') {
    const isBounded = !/^\[+MinKey, MaxKey\]+$/.test(
      Object.values(indexBounds ?? {})
        .flat()
        .join(),
    );
    return [{ index: String(indexName), isBounded, inVain }];
  }
  return Object.values(rest).flatMap((part) => mongodScans(part, inVain));
}

/** Of a PostgreSQL plan: each scan of an index names its condition; what only names the collection reads all of it. */
function postgresScans(plan: unknown): Access[] {
  if (Array.isArray(plan)) return plan.flatMap(postgresScans);
  if (typeof plan !== 'object' || plan === null) return [];
  const { 'Node Type': type, 'Index Name': index, 'Index Cond': condition = '', Plans: plans } = plan as Command;
  const below = postgresScans(plans);
  if (index === undefined)
    return type === 'Seq Scan' ? [{ index: 'none', isBounded: false, inVain: undefined }] : below;
  const isBounded = /\b(object_id|document) OPERATOR/.test(String(condition));
  return [{ index: String(index), isBounded, inVain: undefined }, ...below];
}
