/** Where agents listen, and the secret that they share with their controller: from a file, never from the command line. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { LoadError } from '../errors.ts';

const LEAST_CHARACTERS = 20;

export const secretOption = () =>
  new Option('--secret-file <file>', 'what a controller and its agents have in common').makeOptionMandatory();

/** Throws `LoadError`. */
export function secretIn(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LoadError(
      'usage',
      `--secret-file: ${path} cannot be read (${code}): make one with: (umask 077; head -c 32 /dev/urandom | base64 > ${path}), and copy it to each machine`,
      { cause },
    );
  }
  if (text.length < LEAST_CHARACTERS)
    throw new LoadError(
      'usage',
      `--secret-file: ${path} has less than ${LEAST_CHARACTERS} characters: a secret that nobody guesses`,
    );
  return new TextEncoder().encode(text);
}

export interface HostAndPort {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A parser of commander's. */
export function hostAndPort(text: string): HostAndPort {
  const [, host, port] =
    /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new InvalidArgumentError(`not an address: "${text}"; write it like 127.0.0.1:7300 or [::1]:7300`);
  return { host, port: Number(port) };
}
