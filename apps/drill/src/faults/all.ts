/** The faults, in the order in which a drill makes them. */
import { HARMLESS_FAULTS, SLOW_CONSUMERS } from './clients.ts';
import { ENGINE_FAULTS } from './engines.ts';
import type { Fault } from './fault.ts';
import { REGION_FAULTS } from './regions.ts';
import { RESTORE } from './restore.ts';
import { SERVER_FAULTS } from './servers.ts';

export const FAULTS: readonly Fault[] = [
  ...SERVER_FAULTS,
  ...ENGINE_FAULTS,
  RESTORE,
  SLOW_CONSUMERS,
  ...HARMLESS_FAULTS,
  ...REGION_FAULTS,
];
