/**
 * Keywire as a composable for Vue 3.
 *
 * @module
 */
import { onMounted, onUnmounted, shallowRef } from "vue";
import { acquire, listen } from "./keywire_pool.js";

export function useKeywire(url, options, listeners = {}) {
  const client = shallowRef();
  const state = shallowRef("connecting");
  let undo = [];
  onMounted(() => {
    const acquired = acquire(url, options);
    client.value = acquired.client;
    state.value = acquired.client.state;
    undo = [
      acquired.client.on("state", (event) => state.value = event.state),
      listen(acquired.client, Object.keys(listeners), (type, event) => listeners[type](event)),
      acquired.release,
    ];
  });
  onUnmounted(() => undo.forEach((off) => off()));
  return { client, state };
}
