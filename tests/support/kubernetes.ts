/** The schemas of Kubernetes, from PyPI: what the API server would refuse is refused here. */
import { run } from "./run.ts";
import { say } from "./say.ts";

const PACKAGE = "kubernetes-validate==1.37.0";

/** Fails at the first document that does not fit, and prints all documents as JSON. */
const VALIDATE = `
import json, sys, kubernetes_validate, yaml
documents = list(yaml.safe_load_all(open(sys.argv[1])))
for version in sys.argv[2:]:
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)
print(json.dumps(documents))
`;

/** Installs the schemas into the user's cache, once: they are thousands of files. */
export async function ensureKubernetesSchemas(): Promise<void> {
  if (await Deno.stat(home()).then(() => true, () => false)) return;
  await say(`Installing ${PACKAGE} with pip, once`);
  await Deno.mkdir(cacheDir(), { recursive: true });
  // Made aside and moved: a run at the same time, or one that is stopped, leaves no half of it.
  const made = await Deno.makeTempDir({ dir: cacheDir(), prefix: "kubernetes-" });
  await run(["python3", "-m", "pip", "install", "--quiet", "--target", made, PACKAGE], {
    env: { PIP_BREAK_SYSTEM_PACKAGES: "1" },
  });
  await Deno.rename(made, home()).catch(() => Deno.remove(made, { recursive: true }));
}

/**
 * Reads the documents of the file at `path`, having validated them for each of `versions`.
 * @throws when one does not fit, saying where
 */
export async function readManifests(
  path: string,
  versions: readonly string[],
): Promise<Record<string, unknown>[]> {
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", VALIDATE, path, ...versions],
    env: { PYTHONPATH: home() },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function home(): string {
  return `${cacheDir()}/${PACKAGE}`;
}

function cacheDir(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return `${cache}/keywire`;
}
