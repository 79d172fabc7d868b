import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("..", import.meta.url));

export default defineConfig({
  root,
  resolve: {
    alias: {
      "#core": `${root}src/core/source.embedded.ts`,
      "#standalone": `${root}src/predict/source.embedded.ts`,
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/runtime/**"],
    testTimeout: 60_000,
    pool: "forks",
    // One for each core; the default leaves a core idle, which on two cores is half of the time.
    maxWorkers: "100%",
  },
});
