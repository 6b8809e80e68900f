import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const { KEYWIRE_URL = "http://localhost:8088", BACKEND_URL = "http://localhost:3000" } =
  process.env;

// One origin for all three, as behind a proxy in production.
export default defineConfig({
  plugins: [react()],
  server: {
    port: Number(process.env.PORT ?? 5173),
    proxy: {
      "/websocket": { target: KEYWIRE_URL, ws: true },
      "/events": KEYWIRE_URL,
      "/comments": BACKEND_URL,
    },
  },
});
