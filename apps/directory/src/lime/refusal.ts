/** A refusal that travels as an `ff` message in a 200 (lime-protocol section 3.3). */
import { StoreError } from '@sealwire/store/port';
import type { LimeErrorName } from '@sealwire/wire/lime-server';

export class Refusal extends Error {
  constructor(
    readonly error: LimeErrorName,
    text: string,
  ) {
    super(text);
  }
}

/** What a refusal of the store means to a LIME client; undefined for a failure, which is no protocol answer. */
export function refusalOf(error: StoreError): Refusal | undefined {
  if (error.kind === 'not-found') return new Refusal('userNotFound', 'not registered on this suite');
  if (error.kind === 'limit') return new Refusal('limitReached', error.message);
  if (error.kind === 'conflict') return new Refusal('badRequest', error.message);
  return undefined;
}
