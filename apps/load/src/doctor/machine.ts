/** What Linux says of its limits; other systems say nothing, and are not judged. */
import { readFileSync } from 'node:fs';
import { freemem, networkInterfaces } from 'node:os';

export interface Machine {
  readonly cores: number;
  /** Bytes. */
  readonly freeMemory: number;
  /** Of this process; undefined: unknown. */
  readonly openFiles: number | undefined;
  /** First and last. */
  readonly ports: readonly [number, number] | undefined;
  readonly backlog: number | undefined;
  /** IPv4 addresses of this machine but those of the loopback. */
  readonly addresses: readonly string[];
}

export function readMachine(cores: number): Machine {
  const limits = textOf('/proc/self/limits');
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  const [from, to] = textOf('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/).map(Number);
  const backlog = textOf('/proc/sys/net/core/somaxconn').trim();
  const addresses = Object.values(networkInterfaces())
    .flatMap((own) => own ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return {
    cores,
    freeMemory: freemem(),
    openFiles: soft === undefined ? undefined : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft),
    ports: from !== undefined && to !== undefined ? [from, to] : undefined,
    backlog: backlog === '' ? undefined : Number(backlog),
    addresses,
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
