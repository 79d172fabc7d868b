// What nobody needs to create or load a network and predict with it: functions alone, so that a build may read what stands
// behind them when the first is called (assembly/node.mjs, where the other such doors are named).
export { targetSource } from "./data/targets.ts";
export { weightsOf } from "./data/weights.ts";
export { evaluateRows, gradientsOf, inputGradientsOf } from "./evaluation.ts";
export { diagnoseModel, resolveDiagnose } from "./inspection/diagnose.ts";
export { resolveRangeTest, runRangeTest } from "./inspection/range-test.ts";
export { resolveMetrics } from "./options/metrics.ts";
export { resolveNames } from "./options/names.ts";
export { checkWeights, readLayers } from "./parameters.ts";
export { summarize } from "./summary.ts";
export { checkNetwork } from "./training/check.ts";
export { startFit } from "./training/fit.ts";
export { stepRows } from "./training/step.ts";
