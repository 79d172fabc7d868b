// What every runtime runs: the smoke program with the cores that the runtime must have.

/** The options of `smoke` where a runtime has relaxed SIMD, may compile nothing, or gives the binaries. */
export function smokeOptions({ relaxed = false, compiles = true, given = false }) {
  if (!compiles) return { cores: ["js"], auto: "js" };
  return { cores: relaxed ? ["simd", "js", "relaxed"] : ["simd", "js"], auto: "simd", given };
}

/** The source of a call of the smoke program, for a module beside it. */
export function smokeCall(runtime) {
  return `smoke(${JSON.stringify(smokeOptions(runtime))})`;
}
