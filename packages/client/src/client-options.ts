/** What opens a device, and other calls, are told. */
import type { CurveName, SuiteName } from '@sealwire/crypto/port';
import { ON_KEPT_OUT, type OnKeptOut } from './accounts/kept-out.ts';
import type { LinkPrompts } from './accounts/linking/link-as-new.ts';
import type { EngineFactory } from './engines/engine.ts';
import { ClientError } from './errors.ts';
import { type Retention, readSettings, writeSettings } from './history/history-settings.ts';
import type { ClientRuntime } from './runtime.ts';
import type { Ledger } from './storage/ledger.ts';
import type { ClientStorage } from './storage/storage.ts';

export interface OpenOptions {
  readonly storage: ClientStorage;
  readonly runtime: ClientRuntime;
  /** In the order in which they are offered outgoing messages. Default: LIME. */
  readonly engines?: readonly EngineFactory[];
  /**
   * Whether receipts also go out in messages of their own: they tell senders, and to them that this device is online. Without them,
   * receipts go with what is written back. Default: yes.
   */
  readonly receiptMessages?: boolean;
  /**
   * Whether this device keeps messages (docs/spec/history.md), and how long: sealed as all of its storage is, which is not at all in a plain
   * folder. Durable. Default: as it was; no, for a new device.
   */
  readonly history?: boolean | Retention;
  /**
   * The deployment's own authority (docs/spec/verification.md section 8), Ed25519, 32 bytes: messages go to accounts of our domain that it
   * has certified, and to no other. Not kept: to be named each time. Default: nobody is asked for a certificate.
   */
  readonly deviceAuthority?: { readonly publicKey: Uint8Array };
  /**
   * What becomes of messages of which policy keeps devices out: those that are unsafe, not trusted where only trusted ones are sent to, or of
   * an account that is not certified. `refuse`: nobody gets them, and the user decides. `leave-out`: the others do, for a program that
   * nobody looks at. Not kept, but with each message that is queued. Default: `refuse`.
   */
  readonly onKeptOut?: OnKeptOut;
  readonly signal?: AbortSignal;
}

/** On which suites a new device gets an identity, for life. */
export interface SuiteOptions {
  /** In order of preference. Default: both, Curve25519 first. */
  readonly curves?: readonly CurveName[];
  /**
   * Also on the hybrid suite of each curve, and preferred: messages between two such devices stay closed to who records them today and has
   * a quantum computer later. Costs 2.4 (Curve25519) or 4.8 KB in the first messages of a session, and key registrations of 84 or 163 KB. Default: no.
   */
  readonly hybrid?: boolean;
}

export interface RegisterOptions extends OpenOptions, SuiteOptions {
  /** Origin, e.g. `http://localhost:8080`. */
  readonly server: string;
  readonly name: string;
  /** For servers that ask for one. */
  readonly invitation?: string;
  /** From the operator, for an account whose owner has lost everything: makes it anew under its name. Contacts are warned. */
  readonly resetCode?: string;
}

export interface JoinOptions extends OpenOptions, SuiteOptions {
  readonly server: string;
  readonly name: string;
  /** From `exportSecret` of the account, on one of its devices (`ClientAccount`). */
  readonly accountSecret: Uint8Array;
}

export interface RecoverOptions extends OpenOptions, SuiteOptions {
  readonly server: string;
  readonly name: string;
  /** As `recoveryKey` of the account made it, on one of its devices (`ClientAccount`). */
  readonly recoveryKey: string;
  /** Whether the devices that the account still names stay. Default: no, this device is the only one from then on. */
  readonly keepDevices?: boolean;
}

export interface LinkOptions extends OpenOptions, SuiteOptions, LinkPrompts {
  readonly server: string;
  readonly name: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface SendOptions extends CallOptions {
  /** For this message, in all attempts to send it, after a restart too. Default: as the client was opened. */
  readonly onKeptOut?: OnKeptOut;
}

/** Throws `bad-request` for a choice that there is not. */
export function checkOnKeptOut(choice: OnKeptOut): OnKeptOut {
  if (ON_KEPT_OUT.includes(choice)) return choice;
  throw new ClientError('bad-request', `for devices that are kept out the choice is one of ${ON_KEPT_OUT.join(', ')}`);
}

/** Before the client is there, so that nothing arrives in between. Throws `bad-request`. */
export async function configureHistory(ledger: Ledger, { history }: OpenOptions): Promise<void> {
  if (history === undefined) return;
  const wanted = typeof history === 'boolean' ? { ...readSettings(ledger), on: history } : { ...history, on: true };
  await ledger.commit((transaction) => writeSettings(transaction, wanted));
}

const HYBRID_OF: Readonly<Record<CurveName, SuiteName>> = { c25519: 'c25519mlk512', c448: 'c448mlk1024' };

/** The suites in order of preference: a peer that has several in common with this device uses the first of them. */
export function suitesOf({ curves = ['c25519', 'c448'], hybrid = false }: SuiteOptions): SuiteName[] {
  return hybrid ? [...curves.map((curve) => HYBRID_OF[curve]), ...curves] : [...curves];
}
