// Compares what the runtimes gave with the committed constants, and draws the table. Pure.

/**
 * @param constants name → the result that every run of that name must have
 * @param outcomes one `{ runtime, version?, results?, error?, seconds }` per runtime; one that trains nothing has no results
 * @returns the comparisons: an error counts as one that is not equal, and so do a row with no constant and a
 * constant that a runtime has no row for
 */
export function compare(constants, outcomes) {
  return outcomes.flatMap(({ runtime, results, error }) => {
    if (error !== undefined) return [{ runtime, row: "run", equal: false, problem: error }];
    if (results === undefined) return [{ runtime, row: "run", equal: true }];
    const rows = results.map(({ name, run, result }) => {
      const expected = constants[name];
      const equal = result === expected;
      const row = `${name}, ${run}`;
      return equal ? { runtime, row, equal } : { runtime, row, equal, problem: `expected ${expected}, got ${result}` };
    });
    const missing = Object.keys(constants).filter((name) => !results.some((result) => result.name === name));
    return [...rows, ...missing.map((name) => ({ runtime, row: name, equal: false, problem: "did not run" }))];
  });
}

/**
 * The constants to commit, from the first runtime's results.
 *
 * @throws Error when two runs of one name differ: then there is no constant
 */
export function constantsOf({ results, error }) {
  if (error !== undefined) throw new Error(error);
  const constants = {};
  for (const { name, run, result } of results) {
    constants[name] ??= result;
    if (constants[name] !== result) throw new Error(`${name}: ${run} gave ${result}, other runs ${constants[name]}`);
    if (name !== "core" && !/^[0-9a-f]{16}$/.test(result)) throw new Error(`${name}, ${run}: ${result}`);
  }
  return constants;
}

/** The table: a line per row, a column per runtime. */
export function table(comparisons, outcomes) {
  const rows = [...new Set(comparisons.map(({ row }) => row))].filter((row) => row !== "run");
  const cell = (runtime, row) => {
    const found = comparisons.find((comparison) => comparison.runtime === runtime && comparison.row === row);
    return found === undefined ? "–" : found.equal ? "equal" : "DIFFERENT";
  };
  const lines = [
    ["", ...outcomes.map(({ runtime }) => runtime)],
    ["version", ...outcomes.map(({ version }) => version ?? "–")],
    ["seconds", ...outcomes.map(({ seconds }) => seconds.toFixed(1))],
    ...rows.map((row) => [row, ...outcomes.map(({ runtime }) => cell(runtime, row))]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
