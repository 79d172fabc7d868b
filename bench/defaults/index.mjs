// What default options reach: every problem of problems.mjs over seeds 0 … 19, with chainrule and, where they are installed, with
// other libraries (same layers, same epochs, their own defaults). Writes a table in Markdown; exit code 1 where chainrule misses a goal.
//   npm run build && node bench/defaults/index.mjs [--seeds N] [--filter TEXT]
//   npm ci --ignore-scripts --prefix bench/defaults     # brain.js and synaptic
import { parseArgs } from "node:util";
import { load as loadBrain } from "./brain.mjs";
import { learn as learnOurs } from "./chainrule.mjs";
import { PROBLEMS, standardized } from "./problems.mjs";
import { load as loadSynaptic } from "./synaptic.mjs";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "20" }, filter: { type: "string", default: "" } },
});
const seeds = Number(values.seeds);
/** A library whose problem takes longer than this (seconds) ends with the seed at hand; the table says how many there were. */
const PATIENCE = 60;

const share = (found, y) => found.filter((value, i) => value === y[i]).length / y.length;

/** R² = 1 − Σ(a − y)² / Σ(y − mean)². */
function determination(found, y) {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const squares = (errors) => errors.reduce((sum, error) => sum + error * error, 0);
  return 1 - squares(found.map((value, i) => value - y[i])) / squares(y.map((value) => value - mean));
}

function median(scores) {
  const sorted = Float64Array.from(scores).sort();
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function run(learn, problem) {
  const scores = [];
  const start = performance.now();
  for (let seed = 0; seed < seeds && performance.now() - start < PATIENCE * 1000; seed++) {
    const raw = problem.data(seed);
    const data = problem.scaling === undefined || learn === learnOurs ? raw : standardized(raw);
    const found = learn(problem, data, seed);
    scores.push(problem.output === "linear" ? determination(found, data.test.y) : share(found, data.test.y));
  }
  return {
    runs: scores.length,
    solved: scores.filter((score) => score === 1).length,
    median: median(scores),
    worst: Math.min(...scores),
    seconds: (performance.now() - start) / 1000 / scores.length,
  };
}

function cell({ goal }, { runs, solved, median, worst, seconds }) {
  const time = `${seconds.toPrecision(2)} s`;
  if (goal.solved !== undefined) return `${solved} of ${runs} (${time})`;
  const few = runs < seeds ? `, ${runs} runs` : "";
  return `${median.toFixed(3)}, worst ${worst.toFixed(3)} (${time}${few})`;
}

const wanted = ({ solved, median, worst }) =>
  solved !== undefined ? `${solved} of 20` : `${median}${worst === undefined ? "" : `, worst ${worst}`}`;

function missed({ goal }, { runs, solved, median, worst }) {
  if (goal.solved !== undefined) return solved < (goal.solved * runs) / 20;
  return median < goal.median || worst < (goal.worst ?? Number.NEGATIVE_INFINITY);
}

const libraries = { chainrule: learnOurs };
for (const [name, load] of [
  ["brain.js", loadBrain],
  ["synaptic", loadSynaptic],
]) {
  try {
    libraries[name] = await load();
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error(`${name}: not installed`);
  }
}
console.log(`| problem | network, epochs | goal | ${Object.keys(libraries).join(" | ")} |`);
console.log(`|${"---|".repeat(3 + Object.keys(libraries).length)}`);
for (const problem of PROBLEMS.filter(({ name }) => name.includes(values.filter))) {
  const { name, units, hidden = "tanh", output, epochs, goal } = problem;
  const cells = Object.entries(libraries).map(([library, learnWith]) => {
    const result = run(learnWith, problem);
    if (library === "chainrule" && missed(problem, result)) process.exitCode = 1;
    return cell(problem, result);
  });
  console.log(
    `| ${name} | ${units.join("-")} ${hidden}/${output}, ${epochs} | ${wanted(goal)} | ${cells.join(" | ")} |`,
  );
}
