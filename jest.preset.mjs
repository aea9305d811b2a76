// The one Jest preset: ESM, TypeScript through swc, workspace packages read from source (no build needed to test).
import { SWC_OPTIONS } from './infra/scripts/swc-options.mjs';

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@sealwire/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', SWC_OPTIONS],
  },
};
