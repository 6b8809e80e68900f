import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: {
    rollupOptions: { input: ["index.html", "react.html", "vue.html", "svelte.html"] },
  },
});
