/** A LIME device as the tests see it, ours or liblime's: the same calls, so that each exchange is tested in both directions. */
import type { CurveName } from '@sealwire/crypto/port';
import type { Policy } from '@sealwire/lime/policy';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIME_SUITES, type LimeRequestKind } from '@sealwire/wire/lime-server';
import type { KeyDirectory } from './key-directory.ts';

export type Kind = 'ours' | 'liblime';

/** What travels to one device. */
export interface Letter {
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly user: string;
  readonly message: Uint8Array;
  /** Empty in the direct form. */
  readonly cipherMessage: Uint8Array;
}

export interface WriteOptions {
  readonly policy?: Policy;
  /** The addressee that the message is bound to. Default: the first recipient's user. */
  readonly user?: string;
}

export type Reading = { readonly content: string } | { readonly refused: string };

export interface Addressee {
  readonly device: DeviceId;
  readonly user: string;
}

export interface Correspondent extends Addressee {
  readonly kind: Kind;
  readonly curve: CurveName;
  identityKey(): Promise<Uint8Array>;
  /**
   * `content`: any bytes, one a character. Bundles that are missing are fetched. One letter for each recipient that could be served;
   * rejects when the call as a whole is refused.
   */
  write(to: readonly Addressee[], content: string, options?: WriteOptions): Promise<Letter[]>;
  read(letter: Letter): Promise<Reading>;
  /** Whether this is the identity key that it knows of another device. */
  knows(peer: Addressee, identityKey: Uint8Array): Promise<boolean>;
  /** Identity key and sessions. */
  forget(peer: Addressee): Promise<void>;
  staleSessions(peer: Addressee): Promise<void>;
  /** The daily look after the keys, made due. What was asked of the directory, in order. */
  update(): Promise<LimeRequestKind[]>;
  advance(days: number): Promise<void>;
  /** A new process, with nothing but the stored state. */
  restart(): Promise<void>;
  /** Asks another directory from now on; it is not registered there yet. */
  moveTo(directory: KeyDirectory): Promise<void>;
}

/** Each exchange is tested in both. */
export const DIRECTIONS: readonly (readonly [from: Kind, to: Kind])[] = [
  ['liblime', 'ours'],
  ['ours', 'liblime'],
];

/** Of what the low limit and the batch of `update` are made, on both sides. */
export const SUPPLY = { low: 3, batch: 2 } as const;

/** The letter to the one recipient. */
export async function writeTo(
  from: Correspondent,
  to: Addressee,
  content: string,
  options: WriteOptions = {},
): Promise<Letter> {
  const [letter] = await from.write([to], content, options);
  if (!letter) throw new Error(`no letter for ${to.device}`);
  return letter;
}

export const bytesOf = (content: string): Uint8Array => new Uint8Array(Buffer.from(content, 'latin1'));
export const contentOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export interface Header {
  readonly direct: boolean;
  readonly init: { readonly signedPrekeyId: number; readonly withOneTime: boolean } | undefined;
  /** Ns and PN. */
  readonly number: number;
  readonly previous: number;
  readonly length: number;
}

/** Of a Double Ratchet message (lime-protocol sections 6.4 and 7.3), read without the code under test. */
export function headerOf({ message }: Letter, curve: CurveName): Header {
  const { x, ed } = LIME_SUITES[curve];
  const view = Buffer.from(message);
  const withInit = (view[1]! & 1) !== 0;
  const withOneTime = withInit && view[3] === 1;
  const idAt = 4 + ed + x;
  const at = withInit ? idAt + (withOneTime ? 8 : 4) : 3;
  return {
    direct: (view[1]! & 2) !== 0,
    init: withInit ? { signedPrekeyId: view.readUInt32BE(idAt), withOneTime } : undefined,
    number: view.readUInt16BE(at),
    previous: view.readUInt16BE(at + 2),
    length: at + 4 + x,
  };
}
