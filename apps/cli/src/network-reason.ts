/** Why a server was not reached, in words and with what helps. The codes are Node's and OpenSSL's. */
import { systemCodeOf } from '@sealwire/client/errors';

const AUTHORITY =
  'its certificate is signed by an authority that this machine does not know: NODE_EXTRA_CA_CERTS=FILE adds one';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there: is the server running?',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'there is no such host: check the name',
  EAI_AGAIN: 'the name service does not answer',
  ENETUNREACH: 'there is no way to that network',
  EHOSTUNREACH: 'there is no way to that host',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'the connection was cut',
  DEPTH_ZERO_SELF_SIGNED_CERT: AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired, or the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, or the clock of this machine is wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use the address that the operator gave',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there: http:// rather than https://?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there: http:// rather than https://?',
  EPROTO: 'it does not speak TLS there: http:// rather than https://?',
};

const OTHER_ADDRESS = 'name the address that the operator gave: -s here, `sealwire move -s` for the account';
const CLOCK = 'set the clock of this machine (NTP), or have the operator renew the certificate';
const CA_FILE = 'have the operator give you the certificate of that authority (PEM), and set NODE_EXTRA_CA_CERTS=FILE';

const HTTPS = 'look whether it wants https:// rather than http://, or try again';

/** What `doctor` advises, where it is not to start the server. */
const FIXES: Readonly<Record<string, string>> = {
  ECONNRESET: HTTPS,
  UND_ERR_SOCKET: HTTPS,
  ENOTFOUND: OTHER_ADDRESS,
  DEPTH_ZERO_SELF_SIGNED_CERT: CA_FILE,
  SELF_SIGNED_CERT_IN_CHAIN: CA_FILE,
  UNABLE_TO_GET_ISSUER_CERT: CA_FILE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CA_FILE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CA_FILE,
  CERT_HAS_EXPIRED: CLOCK,
  CERT_NOT_YET_VALID: CLOCK,
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_ADDRESS,
  ERR_SSL_WRONG_VERSION_NUMBER: OTHER_ADDRESS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: OTHER_ADDRESS,
  EPROTO: OTHER_ADDRESS,
};

/** What helps against `error`, of `fetch`. */
export function fixOf(error: unknown): string {
  return FIXES[systemCodeOf(error) ?? ''] ?? 'start it (npm start), or name another with -s';
}

/** The reason in `error`, of `fetch` or what the SDK made of it; undefined where it tells none. */
export function reasonOf(error: unknown): string | undefined {
  return isRedirect(error) ? REDIRECT : reasonOfCode(systemCodeOf(error));
}

const REDIRECT = 'it sends us to another address: `sealwire doctor` says which';

/** The SDK follows no redirects; undici says so in words only. */
function isRedirect(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause.message === 'unexpected redirect') return true;
  return false;
}

/** Of a code that is not known, the code itself; undefined without one. */
export function reasonOfCode(code: string | undefined): string | undefined {
  return code === undefined ? undefined : (REASONS[code] ?? code);
}
