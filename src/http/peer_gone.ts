/**
 * Whether the peer of `request` is gone, as far as the runtime knows at this very moment. Ask only
 * where nothing has read `request.signal` before, and upgrade without waiting for anything but
 * promises that are settled.
 *
 * The runtime ends a request whose peer goes, and tells the program a few turns of the event loop
 * later. What is upgraded meanwhile fires no event at all and keeps its descriptor until the process
 * ends. The first read of `request.signal` asks the runtime there and then: a request that has ended
 * aborts with the next settled promise, and one that has not cannot end before the event loop turns.
 */
export async function isPeerGone(request: Request): Promise<boolean> {
  const { signal } = request;
  await undefined;
  return signal.aborted;
}
