/**
 * The life of a pod in a rolling update, acted out with processes: infra/k8s/chart replaces pods in this order, with longer times. A new
 * one is there, ready for a while and in the front, before an old one is told of its end; the old one serves on (preStop) until the front
 * has heard of it; then SIGTERM, and an end within the grace period.
 */
import { setTimeout } from 'node:timers/promises';
import type { Front, Routes } from './front.ts';
import { freePorts } from './ports.ts';
import type { ServerProcess } from './server-process.ts';

/** `minReadySeconds` */
const READY_FOR_MS = 1_000;
/** Until the front hears that a pod is on its way out: what the preStop hook is there for. */
const UNHEARD_MS = 1_500;
/** `drainSeconds`, of a chart whose clients are thousands. */
const PRE_STOP_MS = 3_000;
/** Of `terminationGracePeriodSeconds` what is left after it. */
const GRACE_MS = 30_000;

export interface PodTerms {
  readonly server: Pick<ServerProcess, 'port' | 'giveWayTo'>;
  readonly front: Pick<Front, 'route'>;
  /** Where new connections go, as the servers' ports are now. */
  readonly routes: () => Routes;
  /** What the new process is told otherwise, beside its address: names that no two may have at a time. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Resolves after so many ms; not said: by the clock. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** Resolves when the new process alone is there. Rejects when it does not get ready, or the old one does not end in time. */
export async function replacePod(terms: PodTerms): Promise<void> {
  const { server, front, routes, environment = {}, pause = setTimeout } = terms;
  const before = server.port;
  const [port] = (await freePorts(1)) as [number];
  await server.giveWayTo({
    port,
    environment: { ...environment, LISTEN: `127.0.0.1:${port}` },
    graceMs: GRACE_MS,
    async bothServe() {
      front.route(withBoth(routes(), port, before));
      await pause(READY_FOR_MS);
      // The end is announced: two clocks run from here, the front's and the hook's.
      await pause(UNHEARD_MS);
      front.route(routes());
      await pause(PRE_STOP_MS - UNHEARD_MS);
    },
  });
}

function withBoth(routes: Routes, port: number, before: number): Routes {
  const both = (ports: readonly number[]) => (ports.includes(port) ? [...ports, before] : ports);
  return { api: both(routes.api), directory: both(routes.directory), relay: both(routes.relay) };
}
