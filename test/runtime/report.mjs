// Compares what the runtimes gave with the committed constants, and draws the table. Pure.

const RELAXED = ", relaxed";

/**
 * Whether the relaxed core of a runtime fuses multiplication and addition: an engine may do so or not, and one that does
 * not has the baseline's bits. Told by the first result; all others must then agree. Undefined without relaxed results.
 */
function fuses(constants, results = []) {
  const first = results.find(({ name }) => name.endsWith(RELAXED));
  return first && first.result !== constants[first.name.slice(0, -RELAXED.length)];
}

/**
 * @param constants.baseline name → the result that every run of that name must have
 * @param constants.fused the same for the relaxed core where it fuses
 * @param outcomes one `{ runtime, version?, results?, error?, seconds, relaxed }` per runtime; one that trains nothing has
 * no results, `relaxed` says whether it must have the relaxed core
 * @returns the comparisons: an error counts as one that is not equal, and so do a row with no constant and a
 * constant that a runtime has no row for
 */
export function compare({ baseline, fused }, outcomes) {
  return outcomes.flatMap(({ runtime, results, error, relaxed }) => {
    if (error !== undefined) return [{ runtime, row: "run", equal: false, problem: error }];
    if (results === undefined) return [{ runtime, row: "run", equal: true }];
    const unfused = Object.entries(baseline).map(([name, result]) => [name + RELAXED, result]);
    const expectations = { ...baseline, ...(fuses(baseline, results) ? fused : Object.fromEntries(unfused)) };
    const rows = results.map(({ name, run, result }) => {
      const expected = expectations[name];
      const equal = result === expected;
      const row = `${name}, ${run}`;
      return equal ? { runtime, row, equal } : { runtime, row, equal, problem: `expected ${expected}, got ${result}` };
    });
    const names = [...Object.keys(baseline), ...(relaxed ? Object.keys(fused) : [])];
    const missing = names.filter((name) => !results.some((result) => result.name === name));
    return [...rows, ...missing.map((name) => ({ runtime, row: name, equal: false, problem: "did not run" }))];
  });
}

/**
 * The constants to commit: the baseline's from one runtime, the relaxed core's from one that fuses.
 *
 * @throws Error when two runs of one name differ: then there is no constant
 */
export function constantsOf({ results, error }) {
  if (error !== undefined) throw new Error(error);
  const constants = { baseline: {}, fused: {} };
  for (const { name, run, result } of results) {
    const group = name.endsWith(RELAXED) ? constants.fused : constants.baseline;
    group[name] ??= result;
    if (group[name] !== result) throw new Error(`${name}: ${run} gave ${result}, other runs ${group[name]}`);
    if (name !== "core" && !/^[0-9a-f]{16}$/.test(result)) throw new Error(`${name}, ${run}: ${result}`);
  }
  return constants;
}

/** The table: a line per runtime, with its equal results of all for each core. */
export function table({ baseline }, comparisons, outcomes) {
  const cell = (runtime, core) => {
    const rows = comparisons.filter(({ runtime: of, row }) => of === runtime && row.includes(`, ${core} fit`));
    return rows.length === 0 ? "–" : `${rows.filter(({ equal }) => equal).length} of ${rows.length}`;
  };
  const lines = [["runtime", "version", "seconds", "simd", "js", "relaxed", ""]];
  for (const { runtime, version = "–", seconds, error, results } of outcomes) {
    const fused = fuses(baseline, results);
    const note = error !== undefined ? "FAILED" : fused === undefined ? "" : fused ? "fused" : "not fused";
    const cells = ["simd", "js", "relaxed"].map((core) => cell(runtime, core));
    lines.push([runtime, version, seconds.toFixed(1), ...cells, note]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const draw = (line) => line.map((text, column) => text.padEnd(widths[column]));
  return lines.map((line) => draw(line).join("  ").trimEnd()).join("\n");
}

/** The committed hashes side by side: the baseline's and the relaxed core's where it fuses. */
export function hashTable({ baseline, fused }) {
  const names = Object.keys(fused).map((name) => name.slice(0, -RELAXED.length));
  return names.map((name) => `${baseline[name]}  ${fused[name + RELAXED]}  ${name}`).join("\n");
}
