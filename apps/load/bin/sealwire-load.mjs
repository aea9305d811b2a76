#!/usr/bin/env node
// The program that npm links: runs the built sources, and says what to do when there are none yet.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    'sealwire-load: not built yet: run `npm start` (builds, then starts a server) or `npm run build`\n',
  );
  process.exitCode = 2;
}
