import type { Environment, TextRule } from "./environment.ts";
import { SETTING_RULES } from "./setting_rules.ts";

/** Where spans go, by the names that OpenTelemetry gives its variables. */
export interface OtelSettings {
  /** The collector, such as `http://localhost:4318`; undefined: no spans. */
  readonly otelExporterOtlpEndpoint: string | undefined;
  /** Headers of each request to it. Their values are secrets; they are never shown. */
  readonly otelExporterOtlpHeaders: readonly (readonly [name: string, value: string])[];
  /** What the spans name as their service. */
  readonly otelServiceName: string;
  /** Whether the runtime's own OpenTelemetry is on, for which these variables then are. */
  readonly otelDeno: boolean;
}

const ENDPOINT: TextRule = {
  expected: "a URL such as http://localhost:4318, without credentials and query " +
    "(it is set, and not shown)",
  test: (text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol) &&
      url.username + url.password + url.search + url.hash === "";
  },
  secret: "credentials",
};
const HEADERS: TextRule = {
  expected: "a comma-separated list such as name=value, values percent-encoded " +
    "(it is set, and not shown)",
  test: (text) => parseHeader(text) !== undefined,
  secret: true,
};
const SWITCH: TextRule = {
  expected: "true or false, or 1 or 0",
  test: (text) => /^(?:true|false|0|1)$/i.test(text),
};

/** Reads the variables of OpenTelemetry: an empty one counts as unset, as its specification says. */
export function readOtelSettings(env: Environment): OtelSettings {
  const isSet = (name: string) => (env.raw(name) ?? "") !== "";
  const text = (name: string, rule: TextRule) => isSet(name) ? env.text(name, rule) : undefined;
  const headers = "OTEL_EXPORTER_OTLP_HEADERS";
  return {
    otelExporterOtlpEndpoint: text("OTEL_EXPORTER_OTLP_ENDPOINT", ENDPOINT),
    otelExporterOtlpHeaders: isSet(headers)
      ? env.list(headers, HEADERS)!.map((entry) => parseHeader(entry)!)
      : [],
    otelServiceName: text("OTEL_SERVICE_NAME", SETTING_RULES.name) ?? "keywire",
    otelDeno: /^(?:1|true)$/i.test(text("OTEL_DENO", SWITCH) ?? ""),
  };
}

/** A header as `name=value`; undefined where it is malformed. */
function parseHeader(text: string): readonly [string, string] | undefined {
  const [, name, encoded] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*)$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  try {
    const value = decodeURIComponent(encoded!);
    return /^[ -~]*$/.test(value) ? [name, value] : undefined;
  } catch {
    return undefined;
  }
}
