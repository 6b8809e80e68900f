import type { NodeInfo } from "../presence/port.ts";

/**
 * What a node is, as operators see it. The first four the node says itself; of one that has fallen
 * silent, this node finds out at its address: `gone` when nothing listens there, `frozen` when its
 * process takes the connection and gives no answer, `cut_off` when it answers and does not reach
 * Redis, `silent` when it cannot be reached. `stopped` drained and went.
 */
export type NodeState =
  | "ready"
  | "starting"
  | "draining"
  | "deaf"
  | "gone"
  | "frozen"
  | "cut_off"
  | "silent"
  | "stopped";

/** A lease is renewed each 3 s: a node whose lease is older is asked at its address, in ms. */
const LATE_MS = 4_000;
/** One that answers there may be late by so much. */
const VERY_LATE_MS = 7_000;
const ANSWER_MS = 1_000;

/** Says what `node` is, and asks it at its address where its lease is late. Never throws. */
export async function nodeState(node: NodeInfo): Promise<NodeState> {
  const { ageMs = 0, isThis, isDraining = false, trouble, figures } = node;
  const told = isDraining ? "draining" : figures?.status ?? (trouble ? "deaf" : "ready");
  if (isThis || ageMs <= LATE_MS) return told;
  const found = await probe(node.address);
  return found !== "answers" ? found : ageMs > VERY_LATE_MS ? "cut_off" : told;
}

/** What there is at `address`. */
export async function probe(
  address: string,
): Promise<"answers" | "gone" | "frozen" | "silent"> {
  const [, hostname = "", port = ""] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  if (hostname === "" || hostname === "unknown" || port === "") return "silent";
  const signal = AbortSignal.timeout(ANSWER_MS);
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname, port: Number(port), signal });
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused ? "gone" : "silent";
  }
  using open = connection;
  const close = () => open.close();
  signal.addEventListener("abort", close);
  try {
    const request = `GET /health HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`;
    await open.write(new TextEncoder().encode(request));
    return await open.read(new Uint8Array(64)) === null ? "gone" : "answers";
  } catch {
    return signal.aborted ? "frozen" : "gone";
  } finally {
    signal.removeEventListener("abort", close);
  }
}
