// What every runtime runs: the smoke program with the cores that the runtime must have.

/** The options of `smoke` where a runtime has relaxed SIMD, or may compile nothing. */
export function smokeOptions({ relaxed = false, compiles = true }) {
  if (!compiles) return { cores: ["js"], auto: "js" };
  return { cores: relaxed ? ["simd", "js", "relaxed"] : ["simd", "js"], auto: "simd" };
}

/** The source of a call of the smoke program, for a module beside it. */
export function smokeCall(runtime) {
  return `smoke(${JSON.stringify(smokeOptions(runtime))})`;
}
