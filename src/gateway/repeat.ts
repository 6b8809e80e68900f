/** A pause of this share of the period stays, however long a call takes. */
const LEAST_PAUSE = 0.1;

/**
 * Calls `task` again and again until it is disposed: each time `everyMs` after the last call began, so
 * that what it looks at is looked at so often however long a call takes, and never two at a time.
 */
export function repeat(task: () => Promise<void>, everyMs: number): Disposable {
  let timer: ReturnType<typeof setTimeout>;
  let isEnded = false;
  const wait = (ms: number) => {
    timer = setTimeout(async () => {
      const start = performance.now();
      await task();
      const left = everyMs - (performance.now() - start);
      if (!isEnded) wait(Math.max(left, everyMs * LEAST_PAUSE));
    }, ms);
  };
  wait(everyMs);
  return {
    [Symbol.dispose]() {
      isEnded = true;
      clearTimeout(timer);
    },
  };
}
