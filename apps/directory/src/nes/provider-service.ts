/**
 * The public-keys provider of NES (docs/spec/nes.md section 5, docs/adr/0044): users register two keys and a mail address, activate
 * themselves by a link in a mail within a day, and leave by another. Neither address nor token is kept: the address goes with the request,
 * tokens stay as hashes.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { MailError } from '@sealwire/mail/port';
import { parsePublicKey } from '@sealwire/nes/keys';
import { encodeAnswer } from '@sealwire/nes/provider-answer';
import type { Username } from '@sealwire/nes/username';
import type { Log } from '@sealwire/service/log';
import type { NesUser, Store } from '@sealwire/store/port';
import type { NesProvider } from './open-provider.ts';
import { type Registration, RegistrationError } from './registration.ts';

const ACTIVATION_MS = 24 * 60 * 60_000;
/** s. How long an answer may be shown to somebody else: a client asks at the next start again. */
const ANSWER_LIFE = 3_600;
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}=$/;

export interface ProviderServiceDeps {
  readonly store: Pick<Store, 'nesUsers'>;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly log: Log;
  readonly provider: NesProvider;
  /** Where clients reach this server, for the links. */
  readonly origin: string;
}

export type LinkOutcome = 'activated' | 'deleted' | 'expired' | 'unknown';

export class ProviderService {
  constructor(private readonly deps: ProviderServiceDeps) {}

  async isTaken(username: Username): Promise<boolean> {
    const known = await this.deps.store.nesUsers.find(username);
    return known !== undefined && (known.expiresAt ?? Number.POSITIVE_INFINITY) > this.deps.now();
  }

  /** Resolves when the mail is on its way. Throws `RegistrationError` for a name that is taken, `MailError`; then the name is free. */
  async register({ username, messageKey, signKey, email }: Registration): Promise<void> {
    const { store, random, now, log, provider } = this.deps;
    const [activation, deletion] = [tokenOf(random(TOKEN_BYTES)), tokenOf(random(TOKEN_BYTES))];
    const expiresAt = now() + ACTIVATION_MS;
    const hashes = { activation: this.hashOf(activation), deletion: this.hashOf(deletion) };
    const outcome = await store.nesUsers.register({ name: username, messageKey, signKey, ...hashes, expiresAt }, now());
    if (outcome === 'taken') throw new RegistrationError('user already exist');
    try {
      await provider.mailer.send(this.mailFor(username, email, { activation, deletion }, expiresAt));
    } catch (error) {
      if (error instanceof MailError) log.warn('mail-failed', { reason: error.message });
      await store.nesUsers.remove(username, hashes.deletion);
      throw error;
    }
  }

  /** The signed body; undefined where there is no such user, or it is not active. */
  async answerFor(username: Username): Promise<string | undefined> {
    const { store, now, provider } = this.deps;
    const user = await store.nesUsers.find(username);
    if (!user || !isActive(user)) return undefined;
    const keys = { messageKey: parsePublicKey(user.messageKey), signKey: parsePublicKey(user.signKey) };
    const issued = Math.floor(now() / 1_000);
    return encodeAnswer(username, keys, { issued, expires: issued + ANSWER_LIFE }, provider.key.privateKey);
  }

  /** Somebody has opened a link with `token`. */
  async followLink(username: Username, token: string): Promise<LinkOutcome> {
    const { store, now } = this.deps;
    const user = TOKEN.test(token) ? await store.nesUsers.find(username) : undefined;
    if (!user) return 'unknown';
    const hash = this.hashOf(token);
    if (isActive(user)) return (await store.nesUsers.remove(username, hash)) ? 'deleted' : 'unknown';
    // Not for a stranger to learn by its time: of a hash of 32 random bytes nobody guesses the first byte and then the next.
    if (!Buffer.from(hash).equals(user.activation)) return 'unknown';
    return (await store.nesUsers.activate(username, hash, now())) ? 'activated' : 'expired';
  }

  private hashOf(token: string): Uint8Array {
    return this.deps.crypto.sha256(new TextEncoder().encode(token));
  }

  private mailFor(
    username: Username,
    to: string,
    { activation, deletion }: { readonly activation: string; readonly deletion: string },
    expiresAt: number,
  ) {
    const page = `${this.deps.origin}/users/${username}`;
    const text = [
      `Somebody, we hope you, registered ${username} for NES at ${new URL(page).host}`,
      'with this mail address. To publish the keys, open within a day',
      `(until ${new Date(expiresAt).toUTCString()}):`,
      '',
      `    ${page}/${activation}`,
      '',
      'From then on everybody finds them at:',
      '',
      `    ${page}`,
      '',
      'Keep this mail: to remove the keys some day, and free the name, open:',
      '',
      `    ${page}/${deletion}`,
      '',
      'Whoever reads this mail can do both. If it was not you, do nothing.',
      '',
    ].join('\n');
    return { to, subject: `NES: activate ${username}`, text };
  }
}

function isActive({ expiresAt }: NesUser): boolean {
  return expiresAt === undefined;
}

/** 44 characters, as the genuine provider's. */
function tokenOf(bytes: Uint8Array): string {
  return `${Buffer.from(bytes).toString('base64url')}=`;
}
