import { describe, expect, it } from '@jest/globals';
import { exposureWarnings } from './exposure.ts';

const everywhere = {
  LISTEN: { host: '0.0.0.0', port: 8080 },
  PUBLIC_ORIGIN: undefined,
  TLS_CERT_FILE: undefined,
  TRUSTED_PROXIES: [],
  GATE: 'open',
} as const;
const about = (change: Partial<Parameters<typeof exposureWarnings>[0]>) =>
  exposureWarnings({ ...everywhere, TRUSTED_PROXIES: [], ...change }).map(
    (line) => /PUBLIC_ORIGIN|TLS_CERT_FILE|GATE=open/.exec(line)?.[0],
  );

describe('a server that is reached from elsewhere', () => {
  it('says what is missing', () => {
    expect(about({})).toEqual(['PUBLIC_ORIGIN', 'TLS_CERT_FILE', 'GATE=open']);
    expect(about({ PUBLIC_ORIGIN: 'https://chat.example.org', GATE: 'invitation' })).toEqual(['TLS_CERT_FILE']);
    expect(about({ TLS_CERT_FILE: 'cert.pem' })).toEqual(['PUBLIC_ORIGIN', 'GATE=open']);
    expect(about({ TRUSTED_PROXIES: ['10.0.0.1'] })).toEqual(['PUBLIC_ORIGIN', 'GATE=open']);
  });

  it.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1'])('on %s it says nothing: it is not', (host) => {
    expect(about({ LISTEN: { host, port: 8080 } })).toEqual([]);
  });
});
