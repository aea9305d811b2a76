/** Judges a machine by the connections that it is to hold. */
import type { Machine } from './machine.ts';

export interface Finding {
  readonly isGood: boolean;
  readonly about: string;
  /** What to type. */
  readonly mend?: string;
}

/** Files that a process has open beside its sockets. */
const OWN_FILES = 100;
/** Of one socket with its `ws` and the kernel's buffers, measured; and of a process. */
const SOCKET_BYTES = 24_000;
const PROCESS_BYTES = 120 * 1_048_576;
const MIB = 1_048_576;

export function findings(
  { cores, freeMemory, openFiles, ports, backlog, addresses }: Machine,
  connections: number,
): Finding[] {
  const perWorker = Math.ceil(connections / cores) + OWN_FILES;
  const found: Finding[] = [];
  if (openFiles !== undefined)
    found.push({
      isGood: openFiles >= perWorker,
      about: `open files: ${openFiles} a process, ${perWorker} for its share of ${connections} connections`,
      mend: `ulimit -n ${perWorker}   (for good: LimitNOFILE= of the unit, or /etc/security/limits.conf)`,
    });
  if (ports) {
    const available = ports[1] - ports[0] + 1;
    const sources = Math.ceil(connections / available);
    const wider = 64_511;
    found.push({
      isGood: available >= connections,
      about: `ports: ${available} an address (${ports[0]} to ${ports[1]}), for ${connections} connections to one server`,
      mend:
        connections <= wider
          ? 'sysctl -w net.ipv4.ip_local_port_range="1025 65535"'
          : `${sources} addresses with --from each (there are ${addresses.length}: ${addresses.join(' ') || 'none'}); one more: ip address add 10.0.0.2/24 dev eth0`,
    });
  }
  if (backlog !== undefined)
    found.push({
      isGood: backlog >= 1_024,
      about: `backlog of new connections: ${backlog} (of a server on this machine)`,
      mend: 'sysctl -w net.core.somaxconn=4096',
    });
  const need = connections * SOCKET_BYTES + cores * PROCESS_BYTES;
  found.push({
    isGood: freeMemory >= need,
    about: `memory: ${Math.round(freeMemory / MIB)} MiB free, ${Math.round(need / MIB)} MiB for the sockets and ${cores} workers`,
    mend: 'fewer connections, or a machine with more memory',
  });
  found.push({
    isGood: cores >= 2,
    about: `cores: ${cores}`,
    mend: 'a generator that shares its only core with the server measures itself: use another machine',
  });
  return found;
}
