/**
 * Registers one test whose cases run at the same time, since they wait more than they work.
 *
 * @param cases sentences and what they do
 */
export function together(name: string, cases: Record<string, () => Promise<void>>): void {
  Deno.test(name, async (t) => {
    // A case cannot tell its own resources from those of the others; the test as a whole can.
    const options = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(
      Object.entries(cases).map(([name, fn]) => t.step({ name, fn, ...options })),
    );
  });
}
