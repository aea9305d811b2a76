/** What a person reads when the server is up: where it is, and what to type next, in that order (README). */

export interface Welcome {
  readonly origin: string;
  readonly dataFolder: string;
  /** It is the one that is used when nothing is said. */
  readonly isDefaultFolder: boolean;
  /** It had no store. */
  readonly isNew: boolean;
  readonly invitation: boolean;
  /** Somebody has an account here, or had one. */
  readonly hasAccounts: boolean;
}

export function welcome(facts: Welcome): string {
  const { origin, dataFolder, isNew } = facts;
  return [
    `Sealwire listens on ${origin}, data in ${dataFolder}${isNew ? ' (new)' : ''}`,
    '',
    ...(facts.hasAccounts ? forMore(facts) : forTheFirst(facts)),
    '',
  ].join('\n');
}

function forTheFirst(facts: Welcome): string[] {
  return [
    `Next, in another terminal in this folder${facts.invitation ? ' (CODE is what the first line prints)' : ''}:`,
    ...(facts.invitation ? [`  npm start -- invite --invite-uses 2${folderFlag(facts)}`] : []),
    `  ${register('alice', facts)}`,
    `  ${register('bob', facts)}`,
    '  npx --no sealwire chat -u alice -t bob',
    'and in one more:',
    '  npx --no sealwire chat -u bob -t alice',
  ];
}

function forMore(facts: Welcome): string[] {
  return [
    'One more account, and a chat, in another terminal in this folder:',
    ...(facts.invitation ? [`  npm start -- invite${folderFlag(facts)}`] : []),
    `  ${register('NAME', facts)}`,
    '  npx --no sealwire chat -u NAME -t OTHER',
  ];
}

function register(name: string, { origin, invitation }: Welcome): string {
  const server = origin === 'http://localhost:8080' ? '' : ` -s ${origin}`;
  return `npx --no sealwire register -u ${name}${server}${invitation ? ' --invitation CODE' : ''}`;
}

function folderFlag({ dataFolder, isDefaultFolder }: Welcome): string {
  if (isDefaultFolder) return '';
  return ` --data-dir ${/\s/.test(dataFolder) ? `"${dataFolder}"` : dataFolder}`;
}
