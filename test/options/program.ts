// Compiled, never run, by types.test.ts against the declarations that the package ships, with nothing but ES2022.
import {
  type Diagnosis,
  type Evaluation,
  type FitOptions,
  type LossFunction,
  type MetricName,
  Network,
  type NetworkSpec,
  type RangeTest,
} from "../../dist/index.js";

const mine: LossFunction = (output, target) => ({
  loss: 0,
  gradient: Array.from(output.data, (a, i) => a - (target.data[i] as number)),
});
const spec: NetworkSpec = {
  inputs: 2,
  layers: [{ type: "robust" }, { units: 3, activation: "gelu" }, { type: "batchNormalization" }, { units: 1 }],
  loss: mine,
};
const metrics: MetricName[] = ["mae", "top3"];
export const options: FitOptions = {
  metrics,
  earlyStopping: { monitor: "validation.mae" },
  schedule: { type: "cosine", length: { epochs: 3 } },
};

export async function program(): Promise<void> {
  const network = await Network.create(spec);
  const result: Evaluation = network.evaluate([[1, 2]], [1], { metrics });
  const mae: number | undefined = result.mae;
  const { text }: Diagnosis = network.diagnose([[1, 2]], [1]);
  const { suggestion }: RangeTest = await network.findLearningRate([[1, 2]], [1]);
  const again = await Network.create(network.spec);
  for (const report of network.history.epochs) options.onEpoch?.(report);
  if (mae === undefined || suggestion === undefined) throw new Error(text);
  again.dispose();
}
