/**
 * The certificates that the deployment's authority has made (docs/spec/verification.md section 8), from a file that its operator puts
 * here: one a line, base64url. This server has no key to judge them by; whoever asks for a list of devices judges.
 */
import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from '@sealwire/service/config';
import type { Log } from '@sealwire/service/log';
import { readAccountCertificate } from '@sealwire/wire/account-certificate';
import { decodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress } from '@sealwire/wire/ids';

const SETTING = 'ACCOUNT_CERTS_FILE';
/** How often the file is looked at, at most. */
const LOOK_MS = 30_000;

export interface AccountCertificatesDeps {
  /** Undefined: this deployment has no authority. */
  readonly path: string | undefined;
  readonly now: () => number;
  readonly log: Log;
}

export class AccountCertificates {
  readonly #deps: AccountCertificatesDeps;
  #certificates: ReadonlyMap<AccountAddress, Uint8Array> = new Map();
  #seen = '';
  #lookedAt: number;

  /** Throws `ConfigError` when the file cannot be read or a line of it is none. */
  constructor(deps: AccountCertificatesDeps) {
    this.#deps = deps;
    this.#lookedAt = deps.now();
    if (deps.path === undefined) return;
    this.#seen = stateOf(deps.path);
    this.#certificates = readCertificates(deps.path);
  }

  /** Of several for one account the last in the file. A file that was changed is read again; one that is not good changes nothing. */
  of(address: AccountAddress): Uint8Array | undefined {
    const { path, now } = this.#deps;
    if (path !== undefined && Math.abs(now() - this.#lookedAt) >= LOOK_MS) this.#look(path);
    return this.#certificates.get(address);
  }

  #look(path: string): void {
    const { log, now } = this.#deps;
    this.#lookedAt = now();
    try {
      const state = stateOf(path);
      if (state === this.#seen) return;
      this.#certificates = readCertificates(path);
      this.#seen = state;
      log.info('certificates-read-again');
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error('certificates-not-usable', { setting: SETTING, reason: 'those read before stay in use' });
    }
  }
}

/** Another one after every change of the file. */
function stateOf(path: string): string {
  const { mtimeMs, size, ino } = read(() => statSync(path));
  return `${mtimeMs} ${size} ${ino}`;
}

function readCertificates(path: string): Map<AccountAddress, Uint8Array> {
  const found = new Map<AccountAddress, Uint8Array>();
  const lines = read(() => readFileSync(path, 'utf8')).split('\n');
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      const certificate = decodeBase64url(line.trim());
      found.set(readAccountCertificate(certificate).address, certificate);
    } catch {
      throw new ConfigError(
        SETTING,
        `line ${at + 1} is no certificate`,
        'put there what `sealwire-server certify` has written',
      );
    }
  }
  return found;
}

function read<T>(from: () => T): T {
  try {
    return from();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(SETTING, `the file cannot be read (${code})`, 'name a file that this server may read');
  }
}
