/** `sealwire-server invite`: as `invite` after the API's own name. */
process.argv.splice(2, 0, 'invite');
await import('@sealwire/api/main');

export {};
