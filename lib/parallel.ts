/**
 * The results of the tasks, in their order, at most `limit` at a time. The first failure ends it when those
 * under way have ended; a task that should not end the others catches its own.
 */
export async function inParallel<T, R>(
  limit: number,
  tasks: readonly T[],
  run: (task: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let isFailed = false;
  const worker = async (): Promise<void> => {
    while (next < tasks.length && !isFailed) {
      const index = next++;
      try {
        results[index] = await run(tasks[index]!);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, tasks.length) }, worker));
  for (const end of ends) {
    if (end.status === "rejected") {
      throw end.reason;
    }
  }
  return results;
}
