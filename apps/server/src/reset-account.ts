/** `sealwire-server reset-account NAME`: as `reset-account` after the API's own name. */
process.argv.splice(2, 0, 'reset-account');
await import('@sealwire/api/main');

export {};
