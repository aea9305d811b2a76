#!/usr/bin/env node
/** `sealwire-admin`, and `sealwire-server admin`: what an administrator orders from a shell (docs/operations/administration.md). */
import { processSources } from '@sealwire/service/config';
import { administer } from './admin/run.ts';

process.exitCode = await administer(processSources(), Date.now, {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
