// The main job with seeds 0…9: test accuracy of each, their median and the worst.
// Exit code 1 below the thresholds. Run after `npm run build`: node bench/digits-seeds.mjs
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MEDIAN_AT_LEAST = 97.0;
const WORST_AT_LEAST = 94.5;
const SEEDS = 10;

const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "chainrule-seeds-"));
const accuracies = [];
try {
  for (let seed = 0; seed < SEEDS; seed++) {
    const args = [cli, "train", "--quiet", "--seed", String(seed), "--output", join(folder, "model")];
    const text = execFileSync(process.execPath, args, { encoding: "utf8" });
    const accuracy = Number(/^test accuracy: (\d+\.\d) %$/m.exec(text)?.[1]);
    if (!Number.isFinite(accuracy)) throw new Error(`seed ${seed}: no test accuracy in: ${text}`);
    console.log(`seed ${seed}: ${accuracy.toFixed(1)} %`);
    accuracies.push(accuracy);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

accuracies.sort((a, b) => a - b);
const median = (accuracies[SEEDS / 2 - 1] + accuracies[SEEDS / 2]) / 2;
const worst = accuracies[0];
console.log(
  `median ${median.toFixed(2)} % (at least ${MEDIAN_AT_LEAST}), worst ${worst} % (at least ${WORST_AT_LEAST})`,
);
if (median < MEDIAN_AT_LEAST || worst < WORST_AT_LEAST) process.exitCode = 1;
