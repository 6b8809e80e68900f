const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * Whether a request names this machine in its Host header. A page of another site whose name was made
 * to point here names that site, so it reaches nothing that asks for this.
 *
 * @param host the header, undefined where there is none
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return LOOPBACK.test(host ?? "");
}
