/** From a token to a device that exists (house section 5, hop 0): the first frame of a socket, and each renewal of its token. */
import { TokenError, type TokenVerifier, type VerifiedToken } from '@sealwire/access/tokens';
import type { Devices } from '@sealwire/store/port';
import { type CloseCode, closeCodeOf } from '@sealwire/wire/errors';
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';

/** Why a socket is not let in, as the code it is closed with. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
  constructor(readonly closeCode: CloseCode) {
    super(`refused with close code ${closeCode}`);
  }
}

export class Login {
  constructor(
    private readonly tokens: TokenVerifier,
    private readonly devices: Pick<Devices, 'find'>,
    private readonly isDisabled: (account: AccountAddress) => Promise<boolean>,
  ) {}

  /** Throws `LoginRefused`; a store that does not answer is an overload, and the client comes back. */
  async check(token: string): Promise<VerifiedToken> {
    const verified = await this.verify(token);
    const asked = [this.devices.find(verified.device), this.isDisabled(accountOf(verified.device))] as const;
    const [device, isDisabled] = await Promise.all(asked).catch(() => {
      throw new LoginRefused(closeCodeOf('overload'));
    });
    if (!device) throw new LoginRefused(closeCodeOf('device-removed'));
    // The login, which it is sent to by this, says so to its owner.
    if (isDisabled) throw new LoginRefused(closeCodeOf('token-refused'));
    return verified;
  }

  private async verify(token: string): Promise<VerifiedToken> {
    try {
      return await this.tokens.verify(token, 'relay');
    } catch (error) {
      if (!(error instanceof TokenError)) throw new LoginRefused(closeCodeOf('overload'));
      throw new LoginRefused(closeCodeOf(error.code === 'token-expired' ? 'token-expired' : 'token-refused'));
    }
  }
}
