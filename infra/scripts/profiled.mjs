// Loaded before a program (`node --import`) that is to be profiled while it runs: SIGUSR2 begins, a second one ends and writes PROFILE_INTO.
// So neither its start nor its end is in the profile.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const EVERY_US = 500;

const session = new Session();
let isRunning = false;
process.on('SIGUSR2', async () => {
  isRunning = !isRunning;
  if (isRunning) {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: EVERY_US });
    await session.post('Profiler.start');
    process.stderr.write('profile begins\n');
  } else {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(process.env.PROFILE_INTO, JSON.stringify(profile));
    process.stderr.write('profile written\n');
  }
});
