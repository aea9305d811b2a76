/** What must not be shown, whoever says it: a driver's error may quote a URL with its password. */

const SECRET = '(secret)';
/** Shorter ones would cut words that mean nothing. */
const LEAST_LETTERS = 6;

/** Takes the values of these settings, and the passwords of URLs among them, out of a text. */
export function concealing(
  settings: Readonly<Record<string, string | undefined>>,
  secrets: readonly string[],
): (text: string) => string {
  const hidden = new Set<string>();
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    if (secrets.includes(name)) hidden.add(value.trim());
    const [, user] = /^[a-z0-9+]+:\/\/(?:[^/@:]*:)?([^@]*)@/i.exec(value) ?? [];
    if (user) for (const form of [user, decoded(user)]) hidden.add(form);
  }
  const all = [...hidden].filter(({ length }) => length >= LEAST_LETTERS).sort((a, b) => b.length - a.length);
  return (text) =>
    all.reduce((left, secret) => left.replaceAll(secret, SECRET), text.replace(/:\/\/[^/@\s]+@/g, `://${SECRET}@`));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
