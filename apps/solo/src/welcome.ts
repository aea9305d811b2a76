/** What a person reads when the server is up: where it is, and the two lines to type next (README). */
export function welcome({
  origin,
  dataFolder,
  isNew,
  invitation,
}: {
  origin: string;
  dataFolder: string;
  /** It had no store. */
  isNew: boolean;
  invitation: boolean;
}) {
  const server = origin === 'http://localhost:8080' ? '' : ` -s ${origin}`;
  const code = invitation ? ' --invitation CODE   (npm start -- invite makes a code)' : '';
  return [
    `Sealwire listens on ${origin}, data in ${dataFolder}${isNew ? ' (new)' : ''}`,
    '',
    'Next, in another terminal in this folder:',
    `  npx --no sealwire register -u alice${server}${code}`,
    '  npx --no sealwire chat -u alice -t bob',
    '',
  ].join('\n');
}
