// For tests, with `node --import`: the file systems of this process are like exFAT and many a network share. They have no hard and no
// symbolic links, no sockets, no permissions of their own (everything is open, chmod is refused), and folders cannot be synced.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

function refuse(code, call) {
  throw Object.assign(new Error(`${code}: ${call}`), { code });
}

for (const call of ['linkSync', 'symlinkSync', 'chmodSync']) fs[call] = () => refuse('EPERM', call);

const { fsyncSync, fstatSync } = fs;
fs.fsyncSync = (descriptor) =>
  fstatSync(descriptor).isDirectory() ? refuse('EINVAL', 'fsync') : fsyncSync(descriptor);

for (const call of ['statSync', 'lstatSync']) {
  const ask = fs[call];
  fs[call] = (...args) => {
    const status = ask(...args);
    if (status) status.mode |= 0o777;
    return status;
  };
}

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (where, ...rest) {
  if (typeof where !== 'string') return listen.call(this, where, ...rest);
  queueMicrotask(() => this.emit('error', Object.assign(new Error('listen EIO'), { code: 'EIO' })));
  return this;
};

syncBuiltinESMExports();
