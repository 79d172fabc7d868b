/// <reference lib="esnext.disposable" preserve="true" />
import { instantiateCore, instantiateCoreSync } from "./core/instantiate.ts";
import { createModel, resolveCreate, withLoss } from "./creation.ts";
import { type Matrix, type Rows, rowSource, type Targets } from "./data/rows.ts";
import type { Diagnosis } from "./inspection/diagnosis.ts";
import type { RangeTest, RangeTestOptions } from "./inspection/range-test.ts";
import * as later from "./later.ts";
import { Model } from "./model.ts";
import { integerIn, optionsObject } from "./options/checks.ts";
import { LIMITS } from "./options/defaults.ts";
import type { FitOptions } from "./options/fit.ts";
import { lossName } from "./options/loss.ts";
import type { Names } from "./options/names.ts";
import {
  type CheckOptions,
  type DiagnoseOptions,
  type DType,
  type EvaluateOptions,
  type LoadOptions,
  type NetworkOptions,
  type PredictOptions,
  resolveLoadOptions,
  resolveSaveOptions,
  type SaveOptions,
  type StepOptions,
} from "./options/network.ts";
import type {
  EpochReport,
  Evaluation,
  GradientCheck,
  History,
  LayerWeights,
  LayerWeightsLike,
} from "./options/results.ts";
import {
  hasParameters,
  type KeptSpec,
  type NetworkSpec,
  resolveTrainable,
  type Trainable,
  withoutValues,
} from "./options/spec.ts";
import { checkClasses, classesOf, predictRows } from "./prediction.ts";
import { loadModel, loadModelSync, saveModel } from "./saving.ts";
import type { FitRun } from "./training/fit.ts";
import { predictRow } from "./training/row.ts";

/**
 * A feedforward network: create it from a spec, train it with `fit`, use it with `predict`.
 *
 * Layers are numbered as in `spec.layers`, from 0. Results are copies in the network's dtype, free to keep and change.
 * @example
 * const network = await Network.create({ inputs: 2, layers: [{ units: 8, activation: "tanh" }, { units: 1, activation: "sigmoid" }] });
 * await network.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], { epochs: 500, optimizer: { type: "adam", learningRate: 0.05 } });
 * network.predictClasses([[0, 1]]); // Int32Array [1]
 */
export class Network {
  static {
    const symbol = (Symbol as { readonly dispose?: symbol }).dispose;
    const value = function (this: Network) {
      this.dispose();
    };
    if (symbol !== undefined) Object.defineProperty(Network.prototype, symbol, { value });
  }

  /** `dispose`, for `using`; only where the runtime has the symbol. */
  declare readonly [Symbol.dispose]: () => void;

  readonly #model: Model;

  private constructor(model: Model) {
    if (!(model instanceof Model))
      throw new TypeError("Network: expected Network.create or createSync, got new Network");
    this.#model = model;
  }

  /**
   * Makes a network with initial weights drawn from `seed`.
   * @throws (by rejection) TypeError, RangeError for spec or options; Error where the core asked for is not available
   */
  static async create(spec: NetworkSpec, options?: NetworkOptions): Promise<Network> {
    const how = resolveCreate(spec, options);
    return new Network(createModel(await instantiateCore(how.core, how.dtype), how));
  }

  /** As `create`, on this thread. */
  static createSync(spec: NetworkSpec, options?: NetworkOptions): Network {
    const how = resolveCreate(spec, options);
    return new Network(createModel(instantiateCoreSync(how.core, how.dtype), how));
  }

  /**
   * Reads what `save` wrote: weights, optimizer and its state, counters, history and names.
   * @throws (by rejection) TypeError, RangeError for bytes that are not a whole, undamaged file
   */
  static async load(bytes: Uint8Array, options?: LoadOptions): Promise<Network> {
    const { core, loss } = resolveLoadOptions(options);
    return new Network(withLoss(await loadModel(bytes, core), loss));
  }

  /** As `load`, on this thread. */
  static loadSync(bytes: Uint8Array, options?: LoadOptions): Network {
    const { core, loss } = resolveLoadOptions(options);
    return new Network(withLoss(loadModelSync(bytes, core), loss));
  }

  /** The spec with every default filled in; initial values given as arrays have become weights. */
  get spec(): KeptSpec {
    const { trainable } = this.#model;
    const spec = withoutValues(this.#model.spec);
    const layers = spec.layers.map((layer, l) =>
      hasParameters(layer) ? Object.freeze({ ...layer, trainable: trainable[l] ?? layer.trainable }) : layer,
    );
    return Object.freeze({ ...spec, layers: Object.freeze(layers) });
  }

  /** Columns of x. */
  get inputs(): number {
    return this.#model.memory.plan.inputs;
  }

  /** Columns of a prediction. */
  get outputs(): number {
    return this.#model.memory.plan.outputs;
  }

  get dtype(): DType {
    return this.#model.dtype;
  }

  /** The core that computes: what "auto" became. */
  get core(): "simd" | "relaxed" | "js" {
    return this.#model.core.kind;
  }

  get seed(): number {
    return this.#model.seed;
  }

  /** Weights and biases, γ and β of normalisations, frozen ones included; no running statistics. */
  get parameterCount(): number {
    const { segments } = this.#model.memory.plan;
    return segments.reduce((sum, { part, rows, cols }) => sum + (part === "W" || part === "b" ? rows * cols : 0), 0);
  }

  /** The reports of the network's whole life, oldest first. */
  get history(): { readonly epochs: readonly EpochReport[] } {
    return Object.freeze({ epochs: Object.freeze(this.#model.history.slice()) });
  }

  /** Names of columns, target and classes, saved with the network; undefined until set. */
  get names(): Names | undefined {
    const { names } = this.#model;
    return names === undefined ? undefined : later.resolveNames(names, this.#model.spec);
  }

  set names(names: Names | undefined) {
    this.#live("names");
    this.#model.names = names === undefined ? undefined : later.resolveNames(names, this.#model.spec);
  }

  /**
   * Trains. x [N × inputs], y [N × outputs] or N class indices; both are copied before the promise is returned. From then
   * on the event loop is free at least every 50 ms. Resolves to the part of the history that this call made.
   * @throws (by rejection) TypeError, RangeError before anything changes; DivergenceError, the signal's reason, or what
   * `onEpoch` threw, with the network at its last whole step
   */
  async fit(x: Rows, y: Targets, options?: FitOptions): Promise<History> {
    return this.#run("fit", x, y, options, true).runAsync();
  }

  /** As `fit`, on this thread; `onEpoch` must not be asynchronous. */
  fitSync(x: Rows, y: Targets, options?: FitOptions): History {
    return this.#run("fitSync", x, y, options, false).runSync();
  }

  /**
   * As `fit`, one report at a time; breaking off leaves the last whole step. Data are checked and copied by this call,
   * training begins with the first `next()`.
   * @example
   * for await (const { epoch, loss } of network.epochs(x, y, { epochs: 50 })) if (loss < 0.01) break;
   */
  epochs(x: Rows, y: Targets, options?: FitOptions): AsyncGenerator<EpochReport, History, void> {
    const run = this.#run("epochs", x, y, options, true);
    run.park();
    const begin = () => this.#idle("epochs");
    return (async function* () {
      begin();
      return yield* run.runEpochs();
    })();
  }

  /**
   * One update on one batch; returns the loss before it.
   * @throws TypeError, RangeError before anything changes; DivergenceError with the network as before
   */
  step(x: Rows, y: Targets, options?: StepOptions): number {
    this.#idle("step");
    this.#knowsLoss("step");
    if (options?.sampleWeights !== undefined) this.#weighs();
    const loss = later.stepRows(this.#model, ...this.#sources(x, y), options);
    this.#model.record.add({ call: "step" });
    return loss;
  }

  /**
   * Output activations [rows × outputs] of x [rows × inputs], never labels. A row's result does not depend on the
   * other rows. `into` takes the result and is returned.
   * @throws TypeError, RangeError
   */
  predict(x: Rows, options?: PredictOptions): Matrix {
    this.#steady("predict");
    const model = this.#model;
    return predictRow(model, x, options) ?? predictRows(model, x, options);
  }

  /**
   * The predicted class of each row: the index of the largest output, the lowest on a tie; with one sigmoid output 1
   * where it is ≥ 0.5, else 0.
   * @throws TypeError, RangeError; RangeError for one output that is no sigmoid
   */
  predictClasses(x: Rows): Int32Array {
    this.#steady("predictClasses");
    const last = this.#model.spec.layers.at(-1);
    checkClasses(this.outputs, last?.type === "dense" && last.activation.type === "sigmoid");
    return classesOf(this.predict(x));
  }

  /**
   * The mean loss over x [N × inputs] and y as in `fit`, without training, beside it the penalty of the parameters; accuracy where outputs are classes, and the metrics
   * asked for.
   * With `sampleWeights` Σ w·ℓ / N, the weights scaled to a mean of 1; accuracy counts rows alike.
   * @throws TypeError, RangeError
   */
  evaluate(x: Rows, y: Targets, options?: EvaluateOptions): Evaluation {
    this.#steady("evaluate");
    this.#knowsLoss("evaluate");
    if (options?.sampleWeights !== undefined) this.#weighs();
    const [xs, ys] = this.#sources(x, y);
    const given = optionsObject("evaluate", options === undefined ? {} : options, {
      allowed: ["metrics", "sampleWeights"],
    });
    const metrics = later.resolveMetrics(given.metrics, this.#model.spec);
    const weights = later.weightsOf(given.sampleWeights, xs.rows);
    const evaluate = (model: Model) => later.evaluateRows(model, xs, ys, metrics, weights);
    // A running fit's data must stay where they are.
    return weights === undefined ? evaluate(this.#model) : this.#aside(evaluate);
  }

  /**
   * The gradient of the mean loss over x, y and of the penalty with respect to every parameter, frozen ones too.
   * @throws TypeError, RangeError
   */
  gradients(x: Rows, y: Targets): { loss: number; layers: LayerWeights[] } {
    this.#steady("gradients");
    this.#knowsLoss("gradients");
    return this.#aside((model) => later.gradientsOf(model, ...this.#sources(x, y)));
  }

  /**
   * The gradient of the mean loss over x, y with respect to x: [N × inputs].
   * @throws TypeError, RangeError
   */
  inputGradients(x: Rows, y: Targets): Matrix {
    this.#steady("inputGradients");
    this.#knowsLoss("inputGradients");
    return this.#aside((model) => later.inputGradientsOf(model, ...this.#sources(x, y)));
  }

  /**
   * Compares backpropagation with central differences, always in float64 on a copy of the network:
   * error = max |g − ĝ| / max(|g|, |ĝ|, 1e-3·‖g‖∞), h = 6e-6·max(1, |w|). Correct gradients away from kinks stay
   * below about 1e-6.
   * @throws TypeError, RangeError
   */
  check(x: Rows, y: Targets, options?: CheckOptions): GradientCheck {
    this.#steady("check");
    this.#knowsLoss("check");
    const { parameters } = optionsObject("check", options === undefined ? {} : options, { allowed: ["parameters"] });
    const limit = parameters === undefined ? 1000 : integerIn("parameters", parameters, 1, LIMITS.rows);
    return later.checkNetwork(this.#model, ...this.#sources(x, y), limit);
  }

  /**
   * The learning-rate range test (Smith 2017), on a copy: `steps` steps with rates from `from` to `to`, each a constant times the one before;
   * it ends early where the loss rises to four times its lowest. The network stays as it is.
   * @throws (by rejection) TypeError, RangeError, the signal's reason
   * @example
   * const { suggestion = 0.001 } = await network.findLearningRate(x, y);
   * await network.fit(x, y, { optimizer: { type: "adam", learningRate: suggestion } });
   */
  async findLearningRate(x: Rows, y: Targets, options?: RangeTestOptions): Promise<RangeTest> {
    this.#steady("findLearningRate");
    this.#knowsLoss("findLearningRate");
    const resolved = later.resolveRangeTest(options, this.#model);
    if (resolved.signal?.aborted) throw resolved.signal.reason;
    const copy = this.clone();
    try {
      return await later.runRangeTest(copy.#model, copy.step.bind(copy), { x, y }, resolved);
    } finally {
      copy.dispose();
    }
  }

  /**
   * What stands out in the network and its data, in words, with the figure that shows it and what to change: scales of inputs,
   * conflicting targets, dead and saturated units, gradients that vanish or explode, and the learning rate of `optimizer` (left out: the
   * one last used, adam if there was none). Looks at 512 rows (at all for conflicts), on a copy: the network stays as it is.
   * @throws TypeError, RangeError
   */
  diagnose(x: Rows, y: Targets, options?: DiagnoseOptions): Diagnosis {
    this.#steady("diagnose");
    this.#knowsLoss("diagnose");
    const optimizer = later.resolveDiagnose(options, this.#model);
    const copy = this.clone();
    try {
      return later.diagnoseModel(copy.#model, x, y, optimizer);
    } finally {
      copy.dispose();
    }
  }

  /**
   * The parameters, layer by layer: W [units × inputs of the layer] and b [units]; of a normalisation γ as W [1 × units], β as b, and of batch
   * normalisation the running mean and variance [units]; layers without parameters have W [0 × 0].
   */
  weights(): LayerWeights[] {
    this.#steady("weights");
    return later.readLayers(this.#model, this.#model.memory.plan.params);
  }

  /**
   * Replaces all parameters; takes what `weights` gives. Optimizer state and counters stay.
   * @throws TypeError, RangeError before anything changes
   */
  setWeights(weights: readonly LayerWeightsLike[]): void {
    this.#idle("setWeights");
    const model = this.#model;
    // All of them are checked before the first is written.
    for (const [segment, values] of later.checkWeights(model, weights)) model.writeParameters(segment, values);
    model.record.add({ call: "setWeights" });
  }

  /** Freezes or frees a layer, or the one part of it, from the next step on. Optimizer state stays. */
  setTrainable(layer: number, trainable: Trainable): void {
    this.#idle("setTrainable");
    const { layers } = this.#model.spec;
    const index = integerIn("layer", layer, 0, layers.length - 1);
    const spec = layers[index];
    if (!hasParameters(spec)) {
      throw new RangeError(`layer: expected a layer with parameters, got layers[${index}], which has none to train`);
    }
    const bias = spec.type !== "dense" || spec.bias;
    const resolved = resolveTrainable(trainable, "trainable", bias);
    if (resolved === this.#model.trainable[index]) return;
    this.#model.trainable[index] = resolved;
    this.#model.record.add({ call: "setTrainable", layer: index, trainable: resolved });
    this.#model.memory.writeRecords(this.#model.trainable);
  }

  /** An independent copy with everything that `save` keeps, on the same kind of core. */
  clone(): Network {
    this.#live("clone");
    const { lossFunction } = this.#model;
    return new Network(withLoss(loadModelSync(saveModel(this.#model, true), this.core), lossFunction));
  }

  /** A table of the layers, for people. */
  summary(): string {
    this.#live("summary");
    return later.summarize(this.spec, this.#model.memory.plan, { dtype: this.dtype, core: this.core, seed: this.seed });
  }

  /**
   * The bytes of a file (docs/format.md) that `load` reads on any runtime: weights, optimizer and its state (unless
   * `optimizer: false`), counters, history, names. During a running `fit`: of its last whole step.
   */
  save(options?: SaveOptions): Uint8Array {
    this.#live("save");
    return saveModel(this.#model, resolveSaveOptions(options).optimizer);
  }

  /** Ends a running fit, which rejects, and lets the memory go. Every later call but this one throws. */
  dispose(): void {
    this.#model.disposed = true;
    this.#model.release();
  }

  #run(name: string, x: Rows, y: Targets, options: FitOptions | undefined, asynchronous: boolean): FitRun {
    this.#idle(name);
    this.#knowsLoss(name);
    if (options?.sampleWeights !== undefined) this.#weighs();
    return later.startFit(this.#model, x, y, options, { asynchronous, perEpoch: name === "epochs", name });
  }

  #live(name: string): void {
    if (this.#model.disposed) throw new Error(`${name}: the network was disposed`);
  }

  /** For what reads parameters or passes rows through the network: a running fit comes to a whole step first. */
  #steady(name: string): void {
    this.#live(name);
    this.#model.running?.finishBlock();
  }

  #knowsLoss(name: string): void {
    if (this.#model.spec.loss !== "custom" || this.#model.lossFunction !== undefined) return;
    throw new Error(
      `${name}: the loss is a function, which a file does not hold; pass it: Network.load(bytes, { loss })`,
    );
  }

  #weighs(): void {
    if (this.#model.spec.loss !== "custom") return;
    throw new TypeError("sampleWeights: expected none with a loss of one's own, which weighs samples itself");
  }

  #idle(name: string): void {
    this.#live(name);
    if (this.#model.running !== undefined) {
      throw new Error(`${name}: a fit is running on this network; wait for it, abort it, or use clone()`);
    }
  }

  #sources(x: Rows, y: Targets) {
    const xs = rowSource(x, "x", this.inputs);
    return [
      xs,
      later.targetSource(y, "y", { rows: xs.rows, outputs: this.outputs, loss: lossName(this.#model.spec.loss) }),
    ] as const;
  }

  /** A running fit owns the gradient region: then the work is done on a copy. */
  #aside<T>(work: (model: Model) => T): T {
    if (this.#model.running === undefined) return work(this.#model);
    const { lossFunction } = this.#model;
    return work(withLoss(loadModelSync(saveModel(this.#model, false), this.core), lossFunction));
  }
}
