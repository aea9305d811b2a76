/** The deployment that is loaded, as it presents itself (docs/spec/http.md). */
import { WellKnown } from '@sealwire/wire/http';
import type * as z from 'zod';
import { LoadError } from '../errors.ts';
import { errorText } from '../showing/error-text.ts';
import type { Surroundings } from '../surroundings.ts';

const PATIENCE_MS = 10_000;

/** Rejects with a `LoadError`: whoever mistypes an address is told so before anything is made. */
export async function wellKnownOf(
  server: string,
  { runtime }: Pick<Surroundings, 'runtime'>,
): Promise<z.output<typeof WellKnown>> {
  let reason: string;
  try {
    const response = await runtime.fetch(`${server}/.well-known/sealwire`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const parsed = response.ok ? WellKnown.safeParse(await response.json()) : undefined;
    if (parsed?.success) return parsed.data;
    reason = `status ${response.status}`;
  } catch (error) {
    reason = errorText(error);
  }
  throw new LoadError(
    'failure',
    `${server} does not answer as a Sealwire server (${reason}): is it running, and the address right?`,
  );
}
