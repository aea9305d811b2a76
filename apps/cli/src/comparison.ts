/**
 * Steps of a comparison of four characters (docs/spec/verification.md section 4), each until there is something for the user to do: what
 * `verify` does itself, or has the process do that has the keys.
 */
import type { Client } from '@sealwire/client/client';
import type { VerificationEnd, VerificationState } from '@sealwire/client/verification';
import type { AccountAddress } from '@sealwire/wire/ids';
import { CliError } from './exit-codes.ts';
import { shortName } from './recipient.ts';

export const COMPARISON_STEPS = ['start', 'accept', 'same', 'different', 'cancel'] as const;
export type ComparisonStep = (typeof COMPARISON_STEPS)[number];

/** Where nothing goes on by itself. */
const RESTS: readonly VerificationState['step'][] = ['comparing', 'verified', 'ended'];
const OVER: readonly VerificationState['step'][] = ['verified', 'ended'];

/** Throws `ClientError`, `CliError` (`usage`: there is nothing to answer; `interrupted`). */
export async function takeStep(
  client: Client,
  step: ComparisonStep,
  to: AccountAddress,
  signal: AbortSignal,
): Promise<VerificationState> {
  const { verification } = client;
  if (step === 'start') return until(client, to, RESTS, signal, () => verification.request(to));
  const current = verification.list().find(({ peer }) => peer === to);
  if (step === 'accept') {
    const offered = current ?? (await until(client, to, ['offered'], signal, () => undefined));
    return until(client, to, RESTS, signal, () => verification.accept(offered.id));
  }
  if (!current)
    throw new CliError(
      'usage',
      `no comparison with ${shortName(to, client.address)} is under way: begin one with --start`,
    );
  const { id } = current;
  if (step === 'same') return until(client, to, OVER, signal, () => verification.confirm(id));
  return until(client, to, OVER, signal, () =>
    step === 'different' ? verification.different(id) : verification.cancel(id),
  );
}

/** The next state of the comparison with `to` that is one of `steps`, after `begin`. */
function until(
  client: Client,
  to: AccountAddress,
  steps: readonly VerificationState['step'][],
  signal: AbortSignal,
  begin: () => unknown,
): Promise<VerificationState> {
  return new Promise((resolve, reject) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', interrupted);
    };
    const interrupted = () => {
      done();
      reject(new CliError('interrupted', 'stopped'));
    };
    const stop = client.verification.onChange((state) => {
      if (state.peer !== to || !steps.includes(state.step)) return;
      done();
      resolve(state);
    });
    signal.addEventListener('abort', interrupted, { once: true });
    if (signal.aborted) return interrupted();
    Promise.resolve()
      .then(begin)
      .catch((error: unknown) => {
        done();
        reject(error);
      });
  });
}

const ENDS: Readonly<Record<VerificationEnd, string>> = {
  cancelled: 'the comparison was ended, nothing has changed',
  busy: 'they are comparing with somebody else, try again in five minutes',
  elsewhere: 'it is answered on another device',
  different:
    'the characters differ: somebody may be between you two, nothing is sent any more; find out, then trust accept',
  forged: 'what was said does not fit together: somebody may be between you two; compare in another way',
  late: 'five minutes are over, nothing has changed',
  unreachable: 'the other side could not be told, nothing has changed',
  'forked-list': 'the server shows you another list of their devices than they have signed: ask its operator',
  'hidden-list': 'the server hides a newer list of their devices from you: ask its operator',
  closed: 'this program ended',
};

/** What a person is told of a state; undefined: nothing. `own`: the address of this side. */
export function comparisonText(state: VerificationState, own: AccountAddress): string | undefined {
  const name = shortName(state.peer, own);
  switch (state.step) {
    case 'offered':
      return `${name} wants to compare four characters with you: sealwire verify ${name} --accept, or --cancel`;
    case 'comparing':
      return `compare with ${name}, on the telephone or side by side: ${state.shortString}`;
    case 'waiting':
      return `waiting for ${name} to say the same`;
    case 'verified':
      return `${name} is verified`;
    case 'ended':
      return `${name}: ${ENDS[state.reason ?? 'cancelled']}`;
    default:
      return undefined;
  }
}

export function comparisonRecord({ id, peer, device, step, shortString, reason }: VerificationState) {
  return { event: 'verification', id, address: peer, device, step, characters: shortString, reason };
}
