/** `?after=VERSION` of `/directory/manifests/{name}/history`. */
import { z } from 'zod';

/** Nine digits: no account publishes as many. */
export const After = z.int().min(0).max(999_999_999);

export const HistoryQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,9}$/, 'a version number')
    .default('0')
    .transform(Number)
    .pipe(After),
});
