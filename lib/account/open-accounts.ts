/** How to let go each account that this process has open. */
const open = new Map<string, () => Promise<void>>();

/** Notes that an account is open. */
export function noteOpen(key: string, close: () => Promise<void>): void {
  open.set(key, close);
}

/**
 * Lets all accounts go that this process has open. Whoever holds the project's lock does it before the lock goes: a
 * sandbox has one process at a time.
 */
export async function closeAccounts(): Promise<void> {
  const all = [...open.values()];
  open.clear();
  for (const close of all) {
    await close();
  }
}
