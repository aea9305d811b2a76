/** What every part of the store stands on. */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { AccountDocument, Documents } from './documents.ts';
import type { Engine } from './engine.ts';

export interface Ground {
  readonly engine: Engine;
  readonly documents: Documents;
}

/** What an address without a document is. */
export function nobody(address: AccountAddress): AccountDocument {
  return {
    _id: address,
    rev: 0,
    state: 'none',
    devices: [],
    waiting: [],
    gone: [],
    leaving: [],
    appPasswords: [],
  };
}
