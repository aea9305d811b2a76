import { readdirSync } from 'node:fs';

const workspaces = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(folder).map((name) => `<rootDir>/${folder}/${name}`),
);

export default {
  projects: workspaces,
  workerIdleMemoryLimit: '512MB',
};
