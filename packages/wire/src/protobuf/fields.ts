/**
 * Messages as tables: a field is one line with its name, its number in `proto/`, what it holds and
 * how much of that. Encoder, decoder and TypeScript type follow from the table, and
 * `schemas.test.ts` compares it with the schema.
 *
 * Decoding does what docs/spec/relay-protocol.md section 3.1 says: a limit is checked before
 * anything is made from the field, unknown fields are skipped, of a scalar that comes twice the last
 * counts. Encoding writes the fields in the order of the table. The relay's hot frames have code of
 * their own (docs/adr/0015-one-field-table.md).
 */
import { type DeviceIdCache, readDeviceId } from '../device-id-cache.ts';
import { type AccountAddress, type DeviceId, type MessageId, parseAccountAddress } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { WireError } from '../wire-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Field<T> {
  readonly number: number;
  /** As the schema has it: name of a scalar, values of an enum at their numbers, or a message. */
  readonly type: string | readonly (string | undefined)[] | MessageType<Fields>;
  /** What a message without the field has; undefined: a message must have it. */
  readonly absent: T | undefined;
  read(reader: Reader, deviceIds?: DeviceIdCache): T;
  /** `code`: of the refusal of a list that is too long. */
  write(writer: Writer, value: T, code: string): void;
}

/** A repeated field: how one element is read and written, none of which is empty. */
export interface List<T> extends Field<T> {
  readonly most: number;
  /** What encoding does with more. */
  readonly beyond: 'refused' | 'cut';
}

type Entry = readonly [name: string, field: Field<unknown> | List<unknown>];
export type Fields = Readonly<Record<string, Field<unknown>>>;

type Values<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends List<infer T> ? readonly T[] : F[Name] extends Field<infer T> ? T : never;
};

export type MessageOf<Type extends MessageType<Fields>> = Values<Type['fields']>;

interface Rules<F extends Fields> {
  /** Unknown fields are refused, not skipped. */
  readonly closed?: boolean;
  /** What the fields of a decoded message must keep together. */
  check?(message: Values<F>, reader: Reader): void;
}

/** The fields of a message. Decoding throws nothing but `WireError`; byte fields are views. */
export class MessageType<F extends Fields> {
  private readonly entries: readonly Entry[];
  private readonly byNumber: Entry[] = [];

  constructor(
    readonly fields: F,
    private readonly rules: Rules<F> = {},
  ) {
    this.entries = Object.entries(fields);
    for (const entry of this.entries) this.byNumber[entry[1].number] = entry;
  }

  decode(bytes: Uint8Array, code: string): Values<F> {
    return this.read(new Reader(bytes, code));
  }

  /** Reads to the end of the message that `reader` is in. */
  read(reader: Reader, deviceIds?: DeviceIdCache): Values<F> {
    const values: Record<string, unknown> = {};
    while (!reader.done) {
      const entry = this.byNumber[reader.field()];
      if (!entry) {
        if (this.rules.closed) reader.fail('an unknown field');
        reader.skip();
        continue;
      }
      const [name, field] = entry;
      if (isList(field)) {
        values[name] ??= [];
        const list = values[name] as unknown[];
        if (list.length >= field.most) reader.fail(tooMany(field, name));
        list.push(field.read(reader, deviceIds));
      } else {
        values[name] = field.read(reader, deviceIds);
      }
    }
    for (const [name, field] of this.entries)
      values[name] ??= isList(field) ? [] : (field.absent ?? reader.fail(`no ${name}`));
    this.rules.check?.(values as Values<F>, reader);
    return values as Values<F>;
  }

  /** Lists that are longer than they may be are refused with `code`. */
  encode(message: Values<F>, code = 'limit-reached'): Uint8Array<ArrayBuffer> {
    return this.write(new Writer(), message, code).finish();
  }

  write(writer: Writer, message: Values<F>, code: string): Writer {
    for (const [name, field] of this.entries) {
      const value = message[name];
      if (!isList(field)) {
        field.write(writer, value, code);
        continue;
      }
      const list = value as readonly unknown[];
      if (list.length > field.most && field.beyond === 'refused') throw new WireError(code, tooMany(field, name));
      for (const element of list.slice(0, field.most)) field.write(writer, element, code);
    }
    return writer;
  }
}

export interface MessageField<F extends Fields> extends Field<Values<F>> {
  readonly type: MessageType<F>;
}

type Variants = Readonly<Record<string, MessageField<Fields>>>;

type Variant<V extends Variants> = {
  [Kind in keyof V]: { readonly kind: Kind } & MessageOf<V[Kind]['type']>;
}[keyof V];

export type VariantOf<Type extends { readonly variants: Variants }> = Variant<Type['variants']>;

/** A message that is one of several, each in a field of its own; `kind` says which. */
export class Oneof<V extends Variants> {
  private readonly byNumber: [kind: string, variant: MessageField<Fields>][] = [];

  constructor(readonly variants: V) {
    for (const entry of Object.entries(variants)) this.byNumber[entry[1].number] = entry;
  }

  encode(message: Variant<V>): Uint8Array<ArrayBuffer> {
    const { number, type } = this.variants[message.kind]!;
    return type.write(new Writer(), message, 'limit-reached').finishAs(number);
  }

  /**
   * The last variant wins, and an earlier one must be well formed; undefined: there is none that is
   * known here. The same one twice in a row is refused: protobuf would merge the two, and nobody
   * writes that. `byHand` reads variants that the table does not have.
   */
  read<Other = never>(
    reader: Reader,
    deviceIds?: DeviceIdCache,
    byHand?: (reader: Reader, number: number, deviceIds?: DeviceIdCache) => Other | undefined,
  ): Variant<V> | Other | undefined {
    let message: Variant<V> | Other | undefined;
    let last = 0;
    while (!reader.done) {
      const number = reader.field();
      const outer = reader.enter();
      const read = byHand?.(reader, number, deviceIds) ?? this.readVariant(reader, number, deviceIds);
      reader.leave(outer);
      if (!read) continue;
      if (number === last) reader.fail('the same message twice');
      last = number;
      message = read;
    }
    return message;
  }

  private readVariant(reader: Reader, number: number, deviceIds?: DeviceIdCache): Variant<V> | undefined {
    const entry = this.byNumber[number];
    return entry && ({ kind: entry[0], ...entry[1].type.read(reader, deviceIds) } as unknown as Variant<V>);
  }
}

function scalar<T>(
  number: number,
  type: Field<T>['type'],
  absent: T | undefined,
  read: Field<T>['read'],
  write: Field<T>['write'],
): Field<T> {
  return { number, type, absent, read, write };
}

export function uint(number: number, type: 'uint64' | 'uint32' = 'uint64'): Field<number> {
  const read = (reader: Reader) => (type === 'uint64' ? reader.uint() : reader.uint32());
  return scalar(number, type, 0, read, (writer, value) => writer.uint(number, value));
}

export function bool(number: number): Field<boolean> {
  const read = (reader: Reader) => reader.bool();
  return scalar(number, 'bool', false, read, (writer, value) => writer.bool(number, value));
}

/** An enum. A message must have it unless there is a value at 0. */
export function choice<const T extends string>(number: number, values: readonly (T | undefined)[]): Field<T> {
  const read = (reader: Reader) => reader.choice(values);
  return scalar(number, values, values[0], read, (writer, value) => writer.uint(number, values.indexOf(value)));
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** `most`: in bytes, here and below. */
export function bytes(number: number, most: number): Field<Uint8Array> {
  const read = (reader: Reader) => reader.bytes(most);
  return scalar(number, 'bytes', NO_BYTES, read, (writer, value) => writer.bytes(number, value));
}

/** Bytes that a message must have, of this length. */
export function exactly(number: number, length: number): Field<Uint8Array> {
  const read: Field<Uint8Array>['read'] = (reader) => {
    const value = reader.bytes(length);
    return value.length === length ? value : reader.fail(`not ${length} bytes`);
  };
  return { ...bytes(number, length), absent: undefined, read };
}

export function messageId(number: number): Field<MessageId> {
  return scalar(number, 'bytes', undefined, readMessageId, (writer, value) => writer.bytes(number, value));
}

export function readMessageId(reader: Reader): MessageId {
  const id = reader.bytes(LIMITS.messageIdBytes.value);
  return id.length === LIMITS.messageIdBytes.value ? (id as MessageId) : reader.fail('a message id has 16 bytes');
}

export function text<T extends string = string>(number: number, most: number): Field<T> {
  const read = (reader: Reader) => reader.text(most) as T;
  return scalar(number, 'string', '' as T, read, (writer, value) => writer.text(number, value));
}

/** A text that encoding cuts, between characters. */
export function cutText(number: number, most: number): Field<string> {
  return { ...text(number, most), write: (writer, value) => writer.text(number, cut(value, most)) };
}

/** A text that a message must have, and that `parse` takes. */
export function parsed<T extends string>(number: number, parse: (text: string) => T, most: number): Field<T> {
  return { ...text<T>(number, most), absent: undefined, read: (reader) => reader.parsed(parse, most) };
}

/** A text that a message must have, and that `pattern` matches. */
export function matching(number: number, pattern: RegExp, most: number): Field<string> {
  function read(reader: Reader): string {
    const value = reader.text(most);
    return pattern.test(value) ? value : reader.fail('a text of another form');
  }
  return { ...text(number, most), absent: undefined, read };
}

export function address(number: number): Field<AccountAddress> {
  return parsed(number, parseAccountAddress, LIMITS.deviceIdBytes.value);
}

export function deviceId(number: number): Field<DeviceId> {
  return { ...text<DeviceId>(number, LIMITS.deviceIdBytes.value), absent: undefined, read: readDeviceId };
}

export function message<F extends Fields>(number: number, fields: F, rules?: Rules<F>): MessageField<F> {
  const type = new MessageType(fields, rules);
  return {
    number,
    type,
    absent: undefined,
    read(reader, deviceIds) {
      const outer = reader.enter();
      const read = type.read(reader, deviceIds);
      reader.leave(outer);
      return read;
    },
    write: (writer, value, code) => writer.message(number, () => type.write(writer, value, code)),
  };
}

export function list<T>(field: Field<T>, most: number, beyond: 'refused' | 'cut' = 'refused'): List<T> {
  return { ...field, most, beyond };
}

function isList(field: Field<unknown> | List<unknown>): field is List<unknown> {
  return 'most' in field;
}

function tooMany({ most }: List<unknown>, name: string): string {
  return `more than ${most} ${name}`;
}

/** At most `most` bytes of `text`, cut between characters. */
function cut(text: string, most: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}
