// Carries connections from one place to another, each a port of loopback or the path of a Unix socket: by it a container reaches a server that
// listens on this machine's loopback only.   node forward.mjs FROM TO
import { chmodSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const [from, to] = process.argv.slice(2).map((text) => (/^\d+$/.test(text) ? { port: Number(text) } : { path: text }));

createServer((near) => {
  const far = connect(to);
  // Whichever end goes takes the other along.
  pipeline(near, far, near, () => {});
}).listen(from, () => {
  // For users of containers too.
  if (from.path) chmodSync(from.path, 0o777);
});

// As the first process of a container nothing else would end it.
process.on('SIGTERM', () => process.exit());
