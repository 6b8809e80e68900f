import { useKeywire } from "keywire/react";
import { gateway } from "./message.tsx";

/** It is edited while the page runs, as a developer does. */
export function Title() {
  const { state } = useKeywire(gateway, { key: () => "demo" });
  return <h1>Before {state}</h1>;
}
