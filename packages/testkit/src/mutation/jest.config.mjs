// Jest for a mutation run (docs/testing.md): all packages are one project, one file of them is mutated on its way in.
import { fileURLToPath } from 'node:url';
import preset from '../../../../jest.preset.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [[files, [, swcOptions]]] = Object.entries(preset.transform);

export default {
  ...preset,
  rootDir: here('../../../..'),
  testMatch: ['<rootDir>/{packages,apps}/*/src/**/*.test.ts'],
  transform: { [files]: [here('transform.mjs'), swcOptions] },
  reporters: [here('reporter.mjs')],
  testSequencer: here('sequencer.mjs'),
};
