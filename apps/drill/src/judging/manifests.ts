/** Lists of devices: what the directory took stays, and no older one is shown after it (manifest.md). */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

interface Version {
  readonly at: number;
  readonly digest: string;
}

interface Account {
  /** By version. */
  readonly accepted: Map<number, Version>;
  readonly held: Map<number, string>;
}

export class Manifests {
  readonly #offend: Offend;
  readonly #accounts = new Map<string, Account>();
  #count = 0;

  constructor(offend: Offend) {
    this.#offend = offend;
  }

  /** Accepted ones. */
  get count(): number {
    return this.#count;
  }

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'manifest-accepted': {
        const { accepted } = this.#of(event.account);
        const before = accepted.get(event.version);
        if (before && before.digest !== event.digest)
          this.#offend('manifest-gone', before.at, `${event.account} version ${event.version}: two were accepted`);
        if (before) return;
        accepted.set(event.version, { at: event.at, digest: event.digest });
        this.#count += 1;
        break;
      }
      case 'manifest-read':
        for (const [version, { at, digest }] of this.#of(event.account).accepted) {
          if (at < event.asked && event.version < version)
            this.#offend(
              'manifest-gone',
              at,
              `${event.account} version ${version}: ${event.version} was shown after it`,
            );
          if (event.version === version && event.digest !== digest)
            this.#offend('manifest-gone', at, `${event.account} version ${version}: another one was shown`);
        }
        break;
      case 'manifest-held':
        this.#of(event.account).held.set(event.version, event.digest);
        break;
    }
  }

  missing(offend: Offend): void {
    for (const [account, { accepted, held }] of this.#accounts)
      for (const [version, { at, digest }] of accepted)
        if (held.get(version) !== digest)
          offend('manifest-gone', at, `${account} version ${version}: not held at the end`);
  }

  #of(account: string): Account {
    let known = this.#accounts.get(account);
    if (!known) {
      known = { accepted: new Map(), held: new Map() };
      this.#accounts.set(account, known);
    }
    return known;
  }
}
