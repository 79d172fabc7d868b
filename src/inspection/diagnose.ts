// Looks at a network and its data from all sides, on copies, and says what stands out.
import * as abi from "../core/abi.ts";
import type { Matrix } from "../data/rows.ts";
import { rowSource } from "../data/rows.ts";
import { targetSource } from "../data/targets.ts";
import { DivergenceError } from "../errors.ts";
import type { Model } from "../model.ts";
import { optionsObject } from "../options/checks.ts";
import { lossName } from "../options/loss.ts";
import {
  OPTIMIZER_KEYS,
  OPTIMIZER_SLOTS,
  optimizerOrLast,
  type ResolvedOptimizer,
  SEARCHING,
} from "../options/optimizer.ts";
import { batchLayers, hasParameters, isFixed } from "../options/spec.ts";
import { findSegment, readLayers } from "../parameters.ts";
import { runPass } from "../training/passes.ts";
import { fitScalings } from "../training/scaling.ts";
import { trainStep } from "../training/step.ts";
import { Picker } from "./batches.ts";
import { findConflicts, findScales } from "./data-findings.ts";
import { type Diagnosis, type Finding, figure, type LayerDiagnosis, percent, textOf } from "./diagnosis.ts";

/** Rows for everything but conflicts. */
const SAMPLE = 512;
const DEAD_LIMIT = 0.1;
const SATURATED_LIMIT = 0.5;
/** Between the gradients of the first and of the last trained layer. */
const GRADIENT_LIMIT = 1e-4;
/** ‖ΔW‖/‖W‖ of a step; about 1e-3 is usual. */
const UPDATE_HIGH = 0.1;
const UPDATE_LOW = 1e-6;
/** Of the loss after a step to that before it. */
const RISE_LIMIT = 1.05;

/** Slope below 1 % of the largest, by the activation's value. */
const SATURATED: Readonly<Record<string, (a: number) => boolean>> = {
  sigmoid: (a) => a * (1 - a) < 0.0025,
  tanh: (a) => 1 - a * a < 0.01,
  softsign: (a) => Math.abs(a) > 0.9,
  hardSigmoid: (a) => a <= 0 || a >= 1,
};
const DYING: readonly string[] = ["relu", "relu6", "hardSigmoid", "hardSwish"];

/** @throws TypeError, RangeError */
export function resolveDiagnose(options: unknown, model: Model): ResolvedOptimizer {
  const given = optionsObject("diagnose", options === undefined ? {} : options, {
    allowed: ["optimizer"],
    inside: OPTIMIZER_KEYS,
  });
  return optimizerOrLast(given.optimizer, model.optimizer, model.dtype);
}

/**
 * `model`: a copy that may be changed.
 * @throws TypeError, RangeError for data of another shape
 */
export function diagnoseModel(model: Model, x: unknown, y: unknown, optimizer: ResolvedOptimizer): Diagnosis {
  fitScalings(model, x, y);
  model.demand({ slots: OPTIMIZER_SLOTS[optimizer.type] });
  return look(model, new Picker(model, x, y), optimizer);
}

function look(model: Model, picker: Picker, optimizer: ResolvedOptimizer): Diagnosis {
  const count = Math.min(SAMPLE, model.blockSamplesFor(SAMPLE));
  const { x, y } = picker.pick(picker.spread(count));
  const all = picker.pick(Int32Array.from({ length: picker.rows }, (_, row) => row));
  const rows = x.shape[0];
  model.demand({ training: true, reports: 1, blockSamples: model.blockSamplesFor(rows) });
  const xs = rowSource(x, "x", x.shape[1]);
  const { outputs } = model.memory.plan;
  const ys = targetSource(y, "y", { rows, outputs, loss: lossName(model.spec.loss) });
  runPass(model, abi.MODE_EVALUATE, xs, ys);
  const activations = model.spec.layers.map((_, l) => activationsOf(model, l + 1, rows));
  const firstSeen = model.spec.layers.findIndex((layer) => !isFixed(layer));
  const seen = firstSeen <= 0 ? x : (activations[firstSeen - 1] as Matrix);
  const { loss } = runPass(model, abi.MODE_GRADIENT, xs, ys, { all: true });
  const gradients = readLayers(model, model.memory.plan.gradients).map(({ W }) => rootMeanSquare(W.data));
  const { updates, rise } = tryStep(model, xs, ys, optimizer, loss);
  const layers = model.spec.layers.flatMap((layer, l): LayerDiagnosis[] => {
    if (!hasParameters(layer)) return [];
    const { type } = layer.activation;
    const a = activations[l] as Matrix;
    return [
      {
        layer: l,
        type: layer.type,
        activation: type,
        dead: DYING.includes(type) ? deadShare(a) : 0,
        saturated: saturatedShare(a, type),
        gradient: gradients[l] as number,
        update: updates[l],
      },
    ];
  });
  const findings = [
    ...findScales(seen),
    ...findConflicts(all.x, all.y),
    ...layers.slice(0, -1).flatMap((layer) => findUnits(layer, rows)),
    ...findGradients(layers, model),
    ...findRate(layers, rise, optimizer, loss),
  ];
  return { findings, layers, rows, text: textOf(findings, layers, rows) };
}

/** Of a node after a pass of one block: [rows × units]. */
function activationsOf(model: Model, node: number, rows: number): Matrix {
  const { memory } = model;
  const { a, units } = memory.plan.nodes[node] as { a: { offset: number; bytes: number }; units: number };
  const panels = memory.reals(a);
  const data = new Float64Array(rows * units);
  for (let s = 0; s < rows; s++) {
    for (let u = 0; u < units; u++) {
      // One row alone passes as a vector.
      const at = rows === 1 ? u : ((s >> 3) * units + u) * 8 + (s & 7);
      data[s * units + u] = panels[at] as number;
    }
  }
  return { data, shape: [rows, units] };
}

function rootMeanSquare(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] as number) * (values[i] as number);
  return values.length === 0 ? 0 : Math.sqrt(squares / values.length);
}

function deadShare({ data, shape: [rows, units] }: Matrix): number {
  let dead = 0;
  for (let u = 0; u < units; u++) {
    let zero = true;
    for (let s = 0; s < rows && zero; s++) zero = data[s * units + u] === 0;
    if (zero) dead++;
  }
  return dead / units;
}

function saturatedShare({ data }: Matrix, activation: string): number {
  const test = SATURATED[activation];
  if (test === undefined) return 0;
  let count = 0;
  for (const value of data) if (test(value)) count++;
  return count / data.length;
}

/** One step on the sample: how far each layer's W moves, and what becomes of the loss. */
function tryStep(
  model: Model,
  x: ReturnType<typeof rowSource>,
  y: ReturnType<typeof targetSource>,
  optimizer: ResolvedOptimizer,
  before: number,
): { updates: (number | undefined)[]; rise: number } {
  const { layers } = model.spec;
  const tooFew = batchLayers(model.spec).batch !== undefined && x.rows < 2;
  if (tooFew || SEARCHING.includes(optimizer.type)) return { updates: layers.map(() => undefined), rise: 1 };
  const weights = () => readLayers(model, model.memory.plan.params).map(({ W }) => W.data);
  const old = weights();
  try {
    trainStep(model, x, y, { optimizer, weights: undefined, clipping: { clipValue: undefined, clipNorm: undefined } });
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    return { updates: layers.map(() => undefined), rise: Number.POSITIVE_INFINITY };
  }
  const moved = weights();
  const { loss } = runPass(model, abi.MODE_EVALUATE, x, y);
  const updates = layers.map((_, l) => {
    const segment = findSegment(model, l, "W");
    const trained = model.trainable[l];
    if (segment === undefined || trained === false || trained === "bias") return undefined;
    const from = old[l] as ArrayLike<number>;
    const change = Float64Array.from(moved[l] as ArrayLike<number>, (value, i) => value - (from[i] as number));
    return rootMeanSquare(change) / rootMeanSquare(from);
  });
  return { updates, rise: Number.isFinite(loss) ? loss / before : Number.POSITIVE_INFINITY };
}

function findUnits({ layer, type, activation, dead, saturated }: LayerDiagnosis, rows: number): Finding[] {
  const findings: Finding[] = [];
  const name = `layers[${layer}] (${type}, ${activation})`;
  if (dead > DEAD_LIMIT) {
    findings.push({
      kind: "deadUnits",
      layer,
      figure: dead,
      limit: DEAD_LIMIT,
      message: `Dead units: ${percent(dead)} of the units of ${name} give 0 for all ${rows} rows, so no gradient reaches their weights.`,
      advice: 'Use leakyRelu, elu or gelu, a lower learning rate, or init "heUniform" with biases of 0.',
    });
  }
  if (saturated > SATURATED_LIMIT) {
    findings.push({
      kind: "saturatedUnits",
      layer,
      figure: saturated,
      limit: SATURATED_LIMIT,
      message: `Saturated units: ${percent(saturated)} of the outputs of ${name} lie where its slope is below 1 % of the largest.`,
      advice: "Scale the inputs, begin with smaller weights (the default init), or penalise them (l2).",
    });
  }
  return findings;
}

/** Between the first and the last layer whose weights are trained. */
function findGradients(layers: readonly LayerDiagnosis[], model: Model): Finding[] {
  const trained = layers.filter(({ layer }) => model.trainable[layer] !== false && model.trainable[layer] !== "bias");
  const [first, last] = [trained[0], trained.at(-1)];
  if (first === undefined || last === undefined || first === last || last.gradient === 0) return [];
  const ratio = first.gradient / last.gradient;
  const words =
    `layers[${first.layer}] has a gradient of ${figure(first.gradient)} (root mean square), layers[${last.layer}] of ` +
    `${figure(last.gradient)}: ${figure(ratio)} of it.`;
  if (ratio < GRADIENT_LIMIT) {
    return [
      {
        kind: "vanishingGradient",
        layer: first.layer,
        figure: ratio,
        limit: GRADIENT_LIMIT,
        message: `Vanishing gradient: ${words}`,
        advice: "Use relu or gelu instead of sigmoid and tanh, batchNormalization between the layers, or fewer layers.",
      },
    ];
  }
  if (ratio <= 1 / GRADIENT_LIMIT) return [];
  return [
    {
      kind: "explodingGradient",
      layer: first.layer,
      figure: ratio,
      limit: 1 / GRADIENT_LIMIT,
      message: `Exploding gradient: ${words}`,
      advice: "Begin with smaller weights (the default init), normalise between the layers, or clip (clipNorm: 1).",
    },
  ];
}

function findRate(
  layers: readonly LayerDiagnosis[],
  rise: number,
  optimizer: ResolvedOptimizer,
  loss: number,
): Finding[] {
  const rate = "learningRate" in optimizer ? optimizer.learningRate : Number.NaN;
  const name = `${optimizer.type} with a learning rate of ${figure(rate)}`;
  const updates = layers.flatMap(({ layer, update }) =>
    update === undefined || !Number.isFinite(update) ? [] : [{ layer, update }],
  );
  const largest = updates.reduce((best, each) => (each.update > best.update ? each : best), { layer: 0, update: 0 });
  const lower = "Lower learningRate (a tenth of it), or let findLearningRate suggest one.";
  if (rise > RISE_LIMIT) {
    const times = Number.isFinite(rise) ? `${figure(rise)} times what it was` : "no finite number";
    return [
      {
        kind: "learningRateHigh",
        figure: rise,
        limit: RISE_LIMIT,
        message: `Learning rate too high: after one step of ${name} the loss of the same rows is ${times} (${figure(loss)} before).`,
        advice: lower,
      },
    ];
  }
  if (largest.update > UPDATE_HIGH) {
    return [
      {
        kind: "learningRateHigh",
        layer: largest.layer,
        figure: largest.update,
        limit: UPDATE_HIGH,
        message: `Learning rate too high: one step of ${name} moves the weights of layers[${largest.layer}] by ${percent(largest.update)} of their norm.`,
        advice: lower,
      },
    ];
  }
  if (updates.length === 0 || largest.update >= UPDATE_LOW || largest.update === 0) return [];
  return [
    {
      kind: "learningRateLow",
      layer: largest.layer,
      figure: largest.update,
      limit: UPDATE_LOW,
      message: `Learning rate too low: one step of ${name} moves no layer's weights by more than ${figure(largest.update)} of their norm.`,
      advice: "Raise learningRate (ten times), or let findLearningRate suggest one.",
    },
  ];
}
