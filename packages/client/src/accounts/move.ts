/** A server that has moved: its new address becomes part of this device's record, once it has shown that it is the same server. */
import { HttpCalls } from '../connection/http-calls.ts';
import type { EngineFactory } from '../engines/engine.ts';
import { ClientError } from '../errors.ts';
import type { ClientRuntime } from '../runtime.ts';
import { assemble } from '../services.ts';
import type { Ledger } from '../storage/ledger.ts';
import { addressOfServer, discover } from './discovery.ts';
import { type SelfRecord, writeSelf } from './self-record.ts';

/**
 * The same server serves our domain, knows our account under its key and in no older state than we do, and takes our login. Whatever
 * fails, nothing has changed. Throws `ClientError`: `other-server`, and what discovery, login and a look at the manifest throw.
 */
export async function moveTo(
  ledger: Ledger,
  self: SelfRecord,
  address: string,
  runtime: ClientRuntime,
  engines: readonly EngineFactory[],
  signal: AbortSignal | undefined,
): Promise<SelfRecord> {
  const server = addressOfServer(address);
  const { domain, paths } = await discover(new HttpCalls(server, runtime), server, signal);
  if (domain !== self.domain)
    throw new ClientError('other-server', `${server} serves ${domain}, and ${self.address} is not one of its accounts`);
  const moved = { ...self, server, paths };
  const services = assemble(ledger, moved, runtime, engines);
  try {
    await services.book.refresh(self.address);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'directory-key-changed')) throw error;
    throw new ClientError(
      'other-server',
      `the key directory of ${server} signs with another key than the one of ${self.address}: it is another server, or its operator says why`,
      { cause: error },
    );
  }
  await services.tokens.renew();
  await ledger.commit((transaction) => writeSelf(transaction, moved));
  return moved;
}
