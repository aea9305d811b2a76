/** Access tokens: EdDSA (Ed25519) JWTs of fifteen minutes, one audience a service, `kid` from an allow-list (RFC 7519, RFC 8037). */
import type { DeviceId } from '@sealwire/wire/ids';

export type Audience = 'api' | 'directory' | 'relay';

export interface VerifiedToken {
  readonly device: DeviceId;
  /** ms since 1970 */
  readonly expiresAt: number;
}

export interface TokenVerifier {
  /** Throws `TokenError`. Says nothing of whether the device still exists: ask the store. */
  verify(token: string, audience: Audience): Promise<VerifiedToken>;
}

export class TokenError extends Error {
  override readonly name = 'TokenError';
  constructor(
    readonly code: 'unauthorized' | 'token-expired',
    message: string,
  ) {
    super(message);
  }
}
