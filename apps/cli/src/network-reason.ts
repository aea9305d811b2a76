/** Why a server was not reached, in words and with what helps. The codes are Node's and OpenSSL's. */

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

/** Of a code that is not known, the code itself; undefined without one. */
export function reasonOfCode(code: string | undefined): string | undefined {
  return code === undefined ? undefined : (REASONS[code] ?? code);
}
