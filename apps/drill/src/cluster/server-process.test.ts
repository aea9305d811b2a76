/** A wrong clock, as a server has it that a drill steps: five minutes off by its wall clock, and not at all by its monotonic one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { CLOCK_STEP_MS } from './deployment.ts';

const CLOCK = fileURLToPath(new URL('../../clock-step.mjs', import.meta.url));
/** Answers each line with what its clocks say, in whole minutes. */
const SERVER = `
  const began = performance.now() - Date.now();
  process.stdin.on('data', () => {
    const minutes = [Date.now(), new Date().getTime(), new Date(+new Date()).getTime()].map((at) =>
      Math.round((performance.now() - at - began) / -60_000));
    console.log(JSON.stringify([...minutes, new Date(0).getTime()]));
  });
  process.on('SIGUSR2', () => console.log('stepped'));
  console.log('ready');
`;

let child: ChildProcess;

afterEach(() => void child.kill('SIGKILL'));

it.each([
  [CLOCK_STEP_MS, 5],
  [-CLOCK_STEP_MS, -5],
])('a clock that steps by %i ms is %i minutes off until it steps back', async (stepMs, minutes) => {
  child = spawn(process.execPath, ['--import', CLOCK, '--input-type=module', '-e', SERVER], {
    env: { CLOCK_STEP_MS: String(stepMs) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout! });
  const said = async (act: () => unknown) => {
    const line = once(lines, 'line');
    act();
    return String((await line)[0]);
  };
  const tells = async () => JSON.parse(await said(() => child.stdin!.write('?\n')));
  const steps = () => said(() => child.kill('SIGUSR2'));
  await once(lines, 'line');
  expect(await tells()).toEqual([0, 0, 0, 0]);
  await steps();
  expect(await tells()).toEqual([minutes, minutes, minutes, 0]);
  await steps();
  expect(await tells()).toEqual([0, 0, 0, 0]);
});
