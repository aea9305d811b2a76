/** A process of its own that runs a TypeScript file of this folder, for what only a second process can show. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function runSource(file: string, args: readonly string[], nodeArgs: readonly string[] = []): ChildProcess {
  const root = fileURLToPath(new URL('../../../..', import.meta.url));
  return spawn(
    process.execPath,
    [
      ...nodeArgs,
      '--conditions=@sealwire/source',
      '--import',
      `${root}infra/scripts/quick-loader.mjs`,
      fileURLToPath(new URL(file, import.meta.url)),
      ...args,
    ],
    { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] },
  );
}
