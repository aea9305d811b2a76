/** Asks a server for its resident memory every few seconds. */
import { setTimeout as pause } from 'node:timers/promises';
import { memoryIn } from '../measuring/memory-trend.ts';
import { errorText } from '../showing/error-text.ts';
import type { Surroundings } from '../surroundings.ts';

const EVERY_MS = 1_000;

/** Until the signal. Undefined `url`: nothing. Never rejects. */
export async function watchMemory(
  url: string | undefined,
  { runtime }: Pick<Surroundings, 'runtime'>,
  sampled: (bytes: number) => void,
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (url !== undefined && !signal.aborted) {
    try {
      const response = await runtime.fetch(url, { signal });
      const bytes = response.ok ? memoryIn(await response.text()) : undefined;
      if (bytes === undefined)
        warn(`--metrics: ${url} says nothing of memory (status ${response.status}): is it METRICS_LISTEN's?`);
      else sampled(bytes);
    } catch (error) {
      if (!signal.aborted) warn(`--metrics: ${url}: ${errorText(error)}`);
    }
    await pause(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
