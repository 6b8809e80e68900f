import { run } from "./run.ts";

/** A certificate for 127.0.0.1 that vouches for itself, and its private key. */
export interface Certificate {
  /** The path of the certificate, in PEM. */
  readonly cert: string;
  /** The path of the key, in PEM. */
  readonly key: string;
}

/** Makes one in `dir`, good for a day. */
export async function makeCertificate(dir: string): Promise<Certificate> {
  const [cert, key] = [`${dir}/cert.pem`, `${dir}/key.pem`];
  await run([
    "openssl",
    ...["req", "-x509", "-days", "1", "-nodes", "-subj", "/CN=Keywire's tests"],
    ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", cert],
    ...["-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
  return { cert, key };
}
