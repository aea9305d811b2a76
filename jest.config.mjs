import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const workspaces = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(folder).map((name) => `<rootDir>/${folder}/${name}`),
);

export default {
  projects: workspaces,
  // Jest would take one of two cores; many tests wait for processes of their own.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  testSequencer: './infra/scripts/long-first.mjs',
  workerIdleMemoryLimit: '512MB',
  // A test that hangs is found all the same, and a machine that is busy fails none.
  testTimeout: 20_000,
};
