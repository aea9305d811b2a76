/** The certificate of a server that speaks TLS itself: read from two files at start, and again when they change or somebody says so. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../boot/config.ts';
import type { Log } from '../observe/log.ts';

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Looking, and not waiting for news of the file system: that finds files replaced by renaming, behind links, and on mounted volumes. */
const LOOK_EVERY_MS = 30_000;

/** From `TLS_SETTINGS`. Undefined: plain HTTP. Throws `ConfigError` when one of the two is missing. */
export function tlsFilesOf(settings: {
  readonly TLS_CERT_FILE?: string | undefined;
  readonly TLS_KEY_FILE?: string | undefined;
}): TlsFiles | undefined {
  const { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key } = settings;
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined)
    throw new ConfigError('TLS_CERT_FILE', 'is not set, though TLS_KEY_FILE is', 'name the certificate of that key');
  if (key === undefined)
    throw new ConfigError(
      'TLS_KEY_FILE',
      'is not set, though TLS_CERT_FILE is',
      'name the private key of that certificate',
    );
  return { certificate, key };
}

/** Throws `ConfigError` when a file cannot be read, is no PEM, or the two do not belong together. */
export function readTls({ certificate, key }: TlsFiles): SecureContextOptions {
  const cert = readPem('TLS_CERT_FILE', certificate, 'CERTIFICATE');
  const context = { cert, key: readPem('TLS_KEY_FILE', key, 'PRIVATE KEY') };
  try {
    createSecureContext(context);
    return context;
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH')
      throw new ConfigError(
        'TLS_KEY_FILE',
        `${key} is not the key of ${certificate}`,
        'name the two that were made together',
      );
    throw new ConfigError(
      'TLS_CERT_FILE',
      `${certificate} and ${key} cannot be used (${code})`,
      'check both with `openssl x509 -in CERT -noout -text` and `openssl pkey -in KEY -noout`',
    );
  }
}

/** Of the certificate itself, the first of its chain: seconds since 1970. */
export function certificateEnd({ cert }: SecureContextOptions): number {
  return Date.parse(new X509Certificate(String(cert)).validTo) / 1_000;
}

export interface CertificateWatch {
  /** Reads the files now. What is wrong with them goes to the log, and the old certificate stays. */
  reload(): void;
  stop(): void;
}

/** Calls `use` with what the files hold, `context` being what they held when the server began, after each change of them. */
export function watchTls(
  files: TlsFiles,
  context: SecureContextOptions,
  use: (context: SecureContextOptions) => void,
  { log, everyMs = LOOK_EVERY_MS }: { readonly log: Log; readonly everyMs?: number },
): CertificateWatch {
  let seen = textOf(context);

  function look(): void {
    const { found, text } = tryToRead(files);
    if (text === seen) return;
    seen = text;
    if (found instanceof ConfigError)
      // In the middle of a renewal one of the two is the new one: the next look finds both.
      log.error('certificate-not-usable', { setting: found.key, reason: 'the one read before stays in use' });
    else {
      use(found);
      log.info('certificate-read-again');
    }
  }

  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    reload() {
      seen = '';
      look();
    },
    stop: () => clearInterval(timer),
  };
}

/** What was found, and as what it is known again. */
function tryToRead(files: TlsFiles): { found: SecureContextOptions | ConfigError; text: string } {
  try {
    const found = readTls(files);
    return { found, text: textOf(found) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { found: error, text: error.message };
  }
}

function textOf({ cert, key }: SecureContextOptions): string {
  return `${cert}${key}`;
}

function readPem(setting: string, path: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(setting, `${path} cannot be read (${code})`, 'check the path and its permissions');
  }
  if (new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(text)) return text;
  throw new ConfigError(setting, `${path} holds no PEM ${kind}`, `it begins with -----BEGIN ${kind}-----`);
}
