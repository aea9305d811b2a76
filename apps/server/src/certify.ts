/** `sealwire-server certify …` (docs/operations/certificates.md): run where the key of the deployment's authority is, not on a server. */
import { parseArgs } from 'node:util';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { ConfigError } from '@sealwire/service/config';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { askForAccount, certify, makeAuthority, readAccountList, readAuthority } from './certification.ts';

const USAGE = `sealwire-server certify --new-ca FILE
sealwire-server certify --ca-key FILE [--days N] [--list FILE] [--server URL NAME …]

  --new-ca FILE   makes the key of an authority, and prints its public half
  --ca-key FILE   that key
  --days N        how long a certificate is good, 1 to 3650; 365
  --list FILE     accounts: lines \`sip:NAME@DOMAIN ACCOUNTKEY\`, the key as \`sealwire whoami --json\` shows it
  --server URL    whose directory is asked for the account keys of NAME …

Certificates go to standard output, one a line, for ACCOUNT_CERTS_FILE of the key directory; whom they are for goes to standard error.
`;
const LONGEST_DAYS = 3_650;
const ANSWER_WITHIN_MS = 30_000;

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`certify: ${error.message}\n`);
  process.exitCode = error.exitCode;
}

async function run(argv: readonly string[]): Promise<void> {
  const { values, positionals: names } = wordsOf(argv);
  if (values.help) return void process.stdout.write(USAGE);
  const crypto = nodeCrypto();
  const means = { crypto, random: systemRandom, now: Date.now };
  if (values['new-ca'] !== undefined)
    return void process.stdout.write(`${encodeBase64url(makeAuthority(means, values['new-ca']))}\n`);
  if (values['ca-key'] === undefined) throw new ConfigError('--ca-key', 'is not given', 'name the file of the key');
  const days = daysIn(values.days);
  const seed = readAuthority(means, values['ca-key']);
  const accounts = values.list === undefined ? [] : readAccountList(crypto, values.list);
  const { server } = values;
  if (names.length > 0 && server === undefined)
    throw new ConfigError('--server', 'is not given', 'name whose directory knows these names, or use --list');
  const ask = (url: string) => fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: 'error' });
  for (const name of names) accounts.push(await askForAccount(crypto, ask, server!, name));
  if (accounts.length === 0) throw new ConfigError('arguments', 'name somebody, or a list', 'certify --help');
  for (const account of accounts) {
    process.stdout.write(`${certify(means, seed, account, days)}\n`);
    process.stderr.write(
      `${account.address} with account key ${Buffer.from(account.accountKey).toString('hex')}: ${days} days\n`,
    );
  }
}

function wordsOf(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { 'new-ca': text, 'ca-key': text, days: text, list: text, server: text, help: { type: 'boolean' } },
    });
  } catch (error) {
    throw new ConfigError('arguments', (error as Error).message, 'certify --help');
  }
}

function daysIn(text = '365'): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= LONGEST_DAYS) return days;
  throw new ConfigError('--days', `not a number from 1 to ${LONGEST_DAYS}`);
}
