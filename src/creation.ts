// Spec and options → a model with initial weights.
import type { Core } from "./core/exports.ts";
import { Model } from "./model.ts";
import { type LossFunction, lossName } from "./options/loss.ts";
import { type NetworkOptions, resolveNetworkOptions } from "./options/network.ts";
import { type NetworkSpec, resolveSpec } from "./options/spec.ts";

/** @throws TypeError for a function where the network has a loss of its own */
export function withLoss(model: Model, loss: LossFunction | undefined): Model {
  if (loss !== undefined && model.spec.loss !== "custom") {
    throw new TypeError(
      `loss: expected none, as the file's network has the loss ${lossName(model.spec.loss)}, got a function`,
    );
  }
  model.lossFunction = loss;
  return model;
}

export function resolveCreate(spec: NetworkSpec, options: NetworkOptions | undefined) {
  const { seed, dtype, core } = resolveNetworkOptions(options);
  const resolved = resolveSpec(spec, dtype);
  const lossFunction = typeof spec.loss === "function" ? spec.loss : undefined;
  return { resolved, lossFunction, seed, dtype, core };
}

export function createModel(
  core: Core,
  { resolved, lossFunction, dtype, seed }: ReturnType<typeof resolveCreate>,
): Model {
  const model = new Model(core, resolved, dtype, seed);
  model.lossFunction = lossFunction;
  model.initialize();
  return model;
}
