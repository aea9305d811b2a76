/**
 * Reads all of a data folder that nobody has open, and changes nothing: each page and record that is
 * damaged, or does not fit the others, in one line (docs/operations/storage.md).
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceId } from '@sealwire/wire/ids';
import { StoreError } from '../port.ts';
import { checkDataFile, DATA_FILE, metaOf } from './data-file.ts';
import { type Db, type Environment, openOwnEnvironment, SCHEMA, SCHEMA_KEY } from './environment.ts';
import { ownFolder } from './folder-owner.ts';
import { CommitLog } from './log/commit-log.ts';
import { LOG_FILE } from './log/ring-file.ts';
import { findRing } from './log/ring-state.ts';
import { decodeHead } from './mailboxes/head.ts';
import { headFromSegments, SettledMails, segmentsAfter } from './mailboxes/settled-mails.ts';
import { treeFault } from './page-tree.ts';
import { prefixedKey } from './records/keys.ts';
import { checkedPart } from './records/record.ts';

/** Databases whose records are all checked as a whole. */
const RECORDS = [
  'accounts',
  'unfinished',
  'manifests',
  'devices',
  'prekeys',
  'waiting',
  'invitations',
  'apppasswords',
  'attachments',
  'accountrecords',
  'nesusers',
  'operatorrecords',
  'audittrail',
] as const;
const ONE_TIME_KEY = 'k'.charCodeAt(0);

export interface Verdict {
  /** What there is, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** One line each, with the names of those whom it concerns. */
  readonly faults: readonly string[];
  /** Whose heads are damaged. */
  readonly mailboxes: readonly DeviceId[];
}

/**
 * Rejects with `StoreError`: `not-found` when there is no store, `unavailable` when a process has it
 * open, `corrupt` when nothing can be read or the folder is of another version.
 */
export async function verifyLmdbStore(path: string): Promise<Verdict> {
  const file = join(path, DATA_FILE);
  if (!existsSync(path) || checkDataFile(path) === 'new')
    throw new StoreError('not-found', `there is no store in ${path}; name the data folder`);
  // LMDB trusts its pages: who opens it on damaged ones may not come back.
  const fault = await treeFaultOf(path, file);
  if (fault) return { counts: {}, faults: [`${DATA_FILE}: ${fault}`], mailboxes: [] };
  const environment = await openOwnEnvironment(path);
  try {
    if (environment.root.getBinary(SCHEMA_KEY)?.toString() !== SCHEMA)
      throw new StoreError('corrupt', `the data folder ${path} is of an older version; start and stop the server once`);
    return new Verification(environment, path).verdict();
  } finally {
    await environment.close();
  }
}

async function treeFaultOf(folder: string, path: string): Promise<string | undefined> {
  const owner = await ownFolder(folder);
  const file = openSync(path, 'r');
  try {
    const meta = metaOf(file);
    return meta ? treeFault(file, meta) : 'it is no LMDB database';
  } finally {
    closeSync(file);
    owner.release();
  }
}

class Verification {
  readonly #counts: Record<string, number> = {};
  readonly #faults: string[] = [];
  readonly #mailboxes: DeviceId[] = [];

  constructor(
    private readonly environment: Environment,
    private readonly path: string,
  ) {}

  verdict(): Verdict {
    const { databases } = this.environment;
    for (const name of RECORDS) this.#checkRecords(name, databases[name]);
    this.#checkRecords('onetime', databases.onetime, (key) => key[key.indexOf(0) + 2] === ONE_TIME_KEY);
    this.#checkRecords('accepted', databases.accepted);
    for (const { key, value } of databases.devices.getRange({}))
      if (value.length > 1) this.#checkMailbox(key.toString('utf8') as DeviceId);
    this.#checkLog();
    return { counts: this.#counts, faults: this.#faults, mailboxes: this.#mailboxes };
  }

  /** A record of one byte stands for what is gone. */
  #checkRecords(name: string, db: Db, isMeant: (key: Buffer) => boolean = () => true): void {
    let count = 0;
    for (const { key, value } of db.getRange({})) {
      if (!isMeant(key) || (value.length === 1 && value[0] === 0)) continue;
      count++;
      if (!checkedPart(value)) this.#faults.push(`${name}: the record of ${nameIn(key)} is damaged`);
    }
    this.#counts[name] = count;
  }

  #checkMailbox(device: DeviceId): void {
    const db = this.environment.databases.mailboxes;
    const prefix = prefixedKey(device);
    const record = db.getBinary(prefix);
    const head = record && decodeHead(record);
    if (!head) {
      this.#faults.push(`mailboxes: the head of ${device} is ${record ? 'damaged' : 'missing'}`);
      if (record) this.#mailboxes.push(device);
    }
    const mails = new SettledMails(db, prefix, head ?? headFromSegments(db, prefix, 0, 0));
    let [held, damaged] = [0, 0];
    for (const { seq, body } of mails.after(head?.floor ?? 0)) {
      held++;
      if (body()) continue;
      damaged++;
      this.#faults.push(`mailboxes: message ${seq} of ${device} is damaged`);
    }
    if (head && damaged === 0 && held !== head.messages)
      this.#faults.push(`mailboxes: ${device} has ${held} messages where its head says ${head.messages}`);
    this.#count('messages', held);
    this.#count('segments', [...segmentsAfter(db, prefix, 0)].length);
  }

  #checkLog(): void {
    const db = this.environment.databases.journal;
    const ring = findRing(db);
    if (!existsSync(join(this.path, LOG_FILE))) {
      if (ring?.isOpen) this.#faults.push(`${LOG_FILE}: is missing, and what was accepted last with it`);
      return;
    }
    if (!ring) return;
    const log = new CommitLog(db, this.path, () => {});
    if (log.isDamaged)
      this.#faults.push(`${LOG_FILE}: records are damaged or missing, and accepted messages with them`);
    this.#count('commits in the log', log.records.length);
    log.close();
  }

  #count(name: string, more: number): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + more;
  }
}

/** The readable part of a key: whose record it is. */
function nameIn(key: Buffer): string {
  const end = key.indexOf(0);
  const name = key.subarray(0, end === -1 ? key.length : end);
  return name.every((byte) => byte > 0x20 && byte < 0x7f) ? name.toString('latin1') : name.toString('hex');
}
