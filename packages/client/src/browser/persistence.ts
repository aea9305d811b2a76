/**
 * Whether the browser may remove what a page has stored when space is short, or when nobody came
 * for days (Storage Standard).
 */
import { browser } from './platform.ts';

/**
 * Asks the browser to keep this origin's storage until the user removes it; answers whether it
 * will. Some browsers ask the user: call it where that is expected. False: a device here may be
 * gone one day, and has to be made anew.
 */
export async function requestPersistence(storage = browser.navigator?.storage): Promise<boolean> {
  return (await storage?.persist()) ?? false;
}
