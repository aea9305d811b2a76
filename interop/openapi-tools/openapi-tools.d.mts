/** The programs' paths, or why there are none. */
export type FoundTools = { readonly redocly: string; readonly schemathesis: string } | { readonly missing: string };

/** The programs where `setup.sh` put them. */
export function findTools(): FoundTools;

/** The path of `schemathesis.toml`. */
export const CONFIG: string;
