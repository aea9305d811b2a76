/**
 * Test accounts, made once for each server, kept and used again: one file a kind, one JSON object a line (an account); keys of the SDK's
 * in a file each. Whoever reads the folder can be these accounts: it is for its owner alone.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LightIdentity } from '@sealwire/light/account';
import { parseDeviceId } from '@sealwire/wire/ids';
import { LoadError } from '../errors.ts';
import { readIdentity, type SdkIdentity, type WrittenIdentity, writeIdentity } from './identity.ts';

export class IdentityFolder {
  readonly path: string;

  /** `root`: of all servers; made when it is not there. Throws `LoadError`. */
  constructor(root: string, server: string) {
    this.path = join(root, new URL(server).host.replace(/[^\w.-]/g, '_'));
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new LoadError('usage', `--identities: nothing can be written in ${root} (${code}): name another folder`, {
        cause,
      });
    }
  }

  /** Accounts of `devices` devices each. */
  accounts(devices: number): LightIdentity[][] {
    return this.#lines(lightFile(devices)).map((line) =>
      (line as { devices: WrittenIdentity[] }).devices.map(readIdentity),
    );
  }

  keep(account: readonly LightIdentity[]): void {
    this.#append(lightFile(account.length), { devices: account.map(writeIdentity) });
  }

  sdkAccounts(): SdkIdentity[] {
    return this.#lines(SDK_FILE).map((line) => {
      const { id, keys } = line as { id: string; keys: string };
      return { id: parseDeviceId(id), keysFile: join(this.path, keys) };
    });
  }

  /** Where the keys of the account `name` go. */
  keysFileOf(name: string): string {
    return join(this.path, `${name}.keys.json`);
  }

  keepSdk(id: string, name: string): void {
    this.#append(SDK_FILE, { id, keys: `${name}.keys.json` });
  }

  #lines(name: string): unknown[] {
    const path = join(this.path, name);
    if (!existsSync(path)) return [];
    try {
      return readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown);
    } catch (cause) {
      throw new LoadError('usage', `${path} is damaged: remove it, and other accounts are made`, { cause });
    }
  }

  #append(name: string, line: object): void {
    appendFileSync(join(this.path, name), `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }
}

const SDK_FILE = 'sdk-accounts.jsonl';

function lightFile(devices: number): string {
  return `accounts-of-${devices}.jsonl`;
}
