/** The peer of a file on our own server: a server of node:http that writes what is put, durably, and gives it back. Its arguments: port and file. */
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';

const [port, file] = process.argv.slice(2) as [string, string];

const server = createServer({ requestTimeout: 0 }, async (request, response) => {
  if (request.method === 'PUT') {
    await pipeline(request, createWriteStream(file, { flush: true }));
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { 'content-length': statSync(file).size });
  await pipeline(createReadStream(file), response);
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
