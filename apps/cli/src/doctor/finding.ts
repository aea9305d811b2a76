/** What one check of `doctor` says. */
export interface Finding {
  readonly name: string;
  readonly detail: string;
  /** What to do about it; absent when all is well. */
  readonly fix?: string;
}
