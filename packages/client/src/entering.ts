/** How a storage becomes a device that is ready: made anew, let in, or found as it was left (docs/spec/client.md section 1). */
import { moveTo } from './accounts/move.ts';
import { type RegistrationRequest, register } from './accounts/registration.ts';
import { readSelf, type SelfRecord } from './accounts/self-record.ts';
import { configureHistory, type OpenOptions, type SuiteOptions, suitesOf } from './client-options.ts';
import { limeEngine } from './engines/lime/lime-engine.ts';
import { ClientError, throwIfAborted } from './errors.ts';
import { Ledger } from './storage/ledger.ts';

/** A device that belongs to its account. */
export interface ReadyDevice {
  readonly ledger: Ledger;
  readonly self: SelfRecord;
}

/** By one of the ways into an account. Throws as `Client.register` and its like. */
export async function enter(
  options: OpenOptions & SuiteOptions,
  request: Omit<RegistrationRequest, 'suites' | 'runtime' | 'engines' | 'signal'>,
): Promise<ReadyDevice> {
  const { runtime, signal, engines = [limeEngine] } = options;
  return ready(options, (ledger) =>
    register(ledger, { ...request, suites: suitesOf(options), runtime, engines, signal }),
  );
}

/** As it was left. Throws as `Client.open`. */
export function reopen(options: OpenOptions): Promise<ReadyDevice> {
  return ready(options, readyIn);
}

/** As it was left, on a server that has another address now. Throws as `Client.move`. */
export function moveAndOpen(options: OpenOptions & { readonly server: string }): Promise<ReadyDevice> {
  const { server, runtime, signal, engines = [limeEngine] } = options;
  return ready(options, (ledger) => moveTo(ledger, readyIn(ledger), server, runtime, engines, signal));
}

async function ready(
  options: OpenOptions,
  selfIn: (ledger: Ledger) => SelfRecord | Promise<SelfRecord>,
): Promise<ReadyDevice> {
  throwIfAborted(options.signal);
  const ledger = await Ledger.open(options.storage);
  const self = await selfIn(ledger);
  await configureHistory(ledger, options);
  return { ledger, self };
}

/** Throws `not-registered`, `registration-pending`, `join-pending`. */
function readyIn(ledger: Ledger): SelfRecord {
  const self = readSelf(ledger);
  if (!self) throw new ClientError('not-registered', 'nobody is registered here: register first');
  if (self.step === 'ready') return self;
  if (self.kind === 'link')
    throw new ClientError('join-pending', `this device of ${self.name} was not let in yet: link it again`);
  if (self.kind === 'join')
    throw new ClientError('join-pending', `this device of ${self.name} has not joined yet: join again`);
  throw new ClientError('registration-pending', `the registration of ${self.name} is not finished: register again`);
}
