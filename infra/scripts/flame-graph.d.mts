export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** µs. */
  readonly timeDeltas: readonly number[];
}
export function flameGraph(profile: Profile, title: string): string;
