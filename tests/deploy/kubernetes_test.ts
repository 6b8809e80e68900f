import { assert, assertEquals, assertRejects } from "@std/assert";
import { readManifests } from "../support/kubernetes.ts";

const { pathname: PATH } = new URL("../../deploy/kubernetes/keywire.yaml", import.meta.url);
/** The oldest version that the file names, and a recent one. */
const VERSIONS = ["1.25", "1.34"];

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  }[];
}

Deno.test("deploy: the manifests fit the schemas of Kubernetes", async () => {
  const manifests = await readManifests(PATH, VERSIONS);
  assertEquals(manifests.map(({ kind }) => kind), [
    "Deployment",
    "Service",
    "Service",
    "PodDisruptionBudget",
  ]);
});

Deno.test("deploy: a manifest with a wrong name is found out", async () => {
  const path = await Deno.makeTempFile({ prefix: "keywire-kubernetes-" });
  const text = await Deno.readTextFile(PATH);
  await Deno.writeTextFile(path, text.replace("readinessProbe:", "readyProbe:"));
  await assertRejects(() => readManifests(path, VERSIONS), Error, "readyProbe");
  await Deno.remove(path);
});

Deno.test("deploy: a pod's grace period is longer than its pause and its drain", async () => {
  const [deployment] = await readManifests(PATH, []);
  const { template } = deployment!.spec as { template: { spec: Pod } };
  const { terminationGracePeriodSeconds, containers: [container] } = template.spec;
  const [, pause] = container!.lifecycle.preStop.exec.command;
  const drain = container!.env.find(({ name }) => name === "DRAIN_SECONDS")!.value;
  assert(terminationGracePeriodSeconds >= Number(pause) + Number(drain) + 5);
});
