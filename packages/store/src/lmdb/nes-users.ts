/**
 * Users of NES, in LMDB: one record each. Each registration also forgets a few that nobody activated,
 * so that nothing piles up.
 */
import type { NesUser, NesUsers } from '../port.ts';
import { hasExpired, isSameBytes, NES_KEPT_MS } from '../sameness.ts';
import type { Databases, Environment } from './environment.ts';
import { u48 } from './records/keys.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import type { Writer } from './writer.ts';

const NOTHING = Buffer.alloc(0);
const END_BYTES = 6;
/** More than one: the expired are fewer after each registration. */
const FORGET_AT_ONCE = 4;
/** In the place of the end of one that was activated. */
const ACTIVE = -1;

export function lmdbNesUsers({ databases, renew }: Environment, writer: Writer): NesUsers {
  return {
    async register(user, now) {
      const copy = { ...user, activation: user.activation.slice(), deletion: user.deletion.slice() };
      return writer.run(() => {
        forgetExpired(databases, now);
        const known = read(databases, copy.name);
        if (known && !hasExpired(known, now))
          return isSameBytes(known.activation, copy.activation) ? 'registered' : 'taken';
        write(databases, copy);
        return 'registered';
      });
    },

    async find(name) {
      renew();
      return read(databases, name);
    },

    async activate(name, activation, now) {
      const hash = activation.slice();
      return writer.run(() => {
        const known = read(databases, name);
        if (!known || !isSameBytes(known.activation, hash) || hasExpired(known, now)) return false;
        write(databases, { ...known, expiresAt: undefined });
        return true;
      });
    },

    async remove(name, deletion) {
      const hash = deletion.slice();
      return writer.run(() => {
        const known = read(databases, name);
        if (!known || !isSameBytes(known.deletion, hash)) return false;
        remove(databases, name);
        return true;
      });
    },
  };
}

export function* allNesUsers({ nesusers }: Databases): Generator<NesUser> {
  for (const { key, value } of nesusers.getRange({})) yield decode(key.toString(), value);
}

function forgetExpired(databases: Databases, now: number): void {
  const end = u48(Math.max(Math.floor(now - NES_KEPT_MS) + 1, 0));
  for (const key of [...databases.nesuserends.getKeys({ end, limit: FORGET_AT_ONCE })])
    remove(databases, key.subarray(END_BYTES).toString());
}

function read({ nesusers }: Databases, name: string): NesUser | undefined {
  const bytes = nesusers.getBinary(Buffer.from(name));
  return bytes && decode(name, bytes);
}

function write(databases: Databases, { name, messageKey, signKey, activation, deletion, expiresAt }: NesUser): void {
  remove(databases, name);
  const record = new RecordWriter().text(messageKey).text(signKey).bytes(activation).bytes(deletion);
  databases.nesusers.putSync(Buffer.from(name), record.number(expiresAt ?? ACTIVE).finish());
  if (expiresAt !== undefined) databases.nesuserends.putSync(endKey(expiresAt, name), NOTHING);
}

function remove(databases: Databases, name: string): void {
  const known = read(databases, name);
  if (known?.expiresAt !== undefined) databases.nesuserends.removeSync(endKey(known.expiresAt, name));
  databases.nesusers.removeSync(Buffer.from(name));
}

function decode(name: string, bytes: Buffer): NesUser {
  const reader = new RecordReader(bytes);
  const messageKey = reader.text();
  const signKey = reader.text();
  const activation = reader.bytes();
  const deletion = reader.bytes();
  const end = reader.number();
  reader.end();
  return { name, messageKey, signKey, activation, deletion, expiresAt: end === ACTIVE ? undefined : end };
}

function endKey(end: number, name: string): Buffer {
  return Buffer.concat([u48(end), Buffer.from(name)]);
}
