/** Programs of this repository beside this one, built or from source as this one is, and others of the machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProgramName } from '../peers/target.ts';

// apps/load/src/running and apps/load/dist/running are as deep.
const [FORM, EXTENSION] = import.meta.url.endsWith('.ts') ? ['src', 'ts'] : ['dist', 'js'];
const FILES: Readonly<Record<ProgramName, string>> = {
  solo: `../../../solo/${FORM}/main.${EXTENSION}`,
  load: `../main.${EXTENSION}`,
  'peer-server': `../peers/peer-server-main.${EXTENSION}`,
};

/** `flags`: of Node. Their environment is PATH alone: nobody's settings are theirs. */
export function startPrograms(flags: readonly string[]) {
  return {
    startProgram: (name: ProgramName, argv: readonly string[]): ChildProcess =>
      startOther(process.execPath, [...flags, fileURLToPath(new URL(FILES[name], import.meta.url)), ...argv]),
    startOther,
  };
}

const running = new Set<ChildProcess>();
// However this process ends: nobody else would end them.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function startOther(path: string, argv: readonly string[]): ChildProcess {
  // A group of its own: Ctrl-C on the terminal ends the comparison, which then ends its servers.
  const child = spawn(path, argv, { env: { PATH: process.env.PATH }, detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
