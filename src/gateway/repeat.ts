/** Calls `task` again and again, each time `everyMs` after the last call has ended, until it is disposed. */
export function repeat(task: () => Promise<void>, everyMs: number): Disposable {
  let timer: ReturnType<typeof setTimeout>;
  let isEnded = false;
  const wait = () => {
    timer = setTimeout(async () => {
      await task();
      if (!isEnded) wait();
    }, everyMs);
  };
  wait();
  return {
    [Symbol.dispose]() {
      isEnded = true;
      clearTimeout(timer);
    },
  };
}
