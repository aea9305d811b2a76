/**
 * Whose login is verified next. A signature is checked before anything is known of a peer, on the few threads that the store's
 * writes need, too: so each address has a few logins under way, and its others wait (docs/threat-model.md T79).
 */
import { LIMITS } from '@sealwire/wire/limits';

const MOST = LIMITS.loginsPerAddress.value;

interface Address {
  underWay: number;
  readonly waiting: (() => void)[];
}

export class LoginQueue {
  private readonly addresses = new Map<string, Address>();

  /** Runs `logIn` when `address` has room; settles as it does. What waits is as much as there are sockets. */
  async run<T>(address: string, logIn: () => Promise<T>): Promise<T> {
    let entry = this.addresses.get(address);
    if (!entry) {
      entry = { underWay: 0, waiting: [] };
      this.addresses.set(address, entry);
    }
    if (entry.underWay < MOST) entry.underWay++;
    else await new Promise<void>((resolve) => entry.waiting.push(resolve));
    try {
      return await logIn();
    } finally {
      const next = entry.waiting.shift();
      if (next) next();
      else if (--entry.underWay === 0) this.addresses.delete(address);
    }
  }
}
