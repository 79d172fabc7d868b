import { kindError, valueError } from "../errors.ts";
import { booleanOf, list, numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import { FIT_DEFAULTS, OPTIMIZER_DEFAULTS } from "./defaults.ts";
import type { DType } from "./network.ts";
import type { OptimizerName, ResolvedOptimizer } from "./optimizer-types.ts";

export * from "./optimizer-types.ts";

/** A number that an optimizer carries from step to step, in f64: its name in a file, its first value, its range. */
export interface CarriedScalar {
  readonly name: string;
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

const power = (name: string): CarriedScalar => ({ name, initial: 1, min: 0, max: 1 });
const steps: CarriedScalar = { name: "steps", initial: 0, min: 0, max: Number.MAX_SAFE_INTEGER };
/** A quantity that a method adapts; 0: it begins with its option. */
const current = (name: string): CarriedScalar => ({ name, initial: 0, min: 0, max: Number.MAX_VALUE });
const flag = (name: string): CarriedScalar => ({ name, initial: 1, min: 0, max: 1 });
/** Pairs of steps and changes of the gradient that lbfgs remembers. */
export const LBFGS_PAIRS = 10;
const POWERS = [power("beta1Power"), power("beta2Power")];

/** By place in the job record (JOB_SCALARS). */
export const OPTIMIZER_SCALARS: Readonly<Record<OptimizerName, readonly CarriedScalar[]>> = {
  sgd: [],
  momentum: [steps],
  nesterov: [],
  adagrad: [],
  adadelta: [],
  rmsprop: [],
  adam: POWERS,
  amsgrad: POWERS,
  adamw: POWERS,
  adamax: [power("beta1Power")],
  nadam: [power("momentumProduct"), power("beta2Power"), power("decayPower")],
  radam: [...POWERS, steps],
  lion: [],
  rprop: [],
  rpropPlus: [],
  irpropPlus: [{ name: "previousLoss", initial: Number.MAX_VALUE, min: -Number.MAX_VALUE, max: Number.MAX_VALUE }],
  quickprop: [],
  gda: [current("rate")],
  gdx: [current("rate")],
  scg: [
    current("lambda"),
    current("lambdaBar"),
    { ...current("delta"), min: -Number.MAX_VALUE },
    flag("success"),
    steps,
  ],
  lbfgs: [{ name: "pairs", initial: 0, min: 0, max: LBFGS_PAIRS }, steps],
  lm: [current("mu")],
  br: [current("mu"), current("alpha"), current("beta"), current("effectiveParameters")],
};

/** What an optimizer carries before its first step. */
export function firstScalars(type: OptimizerName): readonly number[] {
  return OPTIMIZER_SCALARS[type].map(({ initial }) => initial);
}

/** Arrays of state, each as long as the parameters, that an optimizer carries from step to step. */
export const OPTIMIZER_SLOTS: Readonly<Record<OptimizerName, number>> = {
  sgd: 0,
  momentum: 1,
  nesterov: 1,
  adagrad: 1,
  adadelta: 2,
  rmsprop: 3,
  adam: 2,
  amsgrad: 3,
  adamw: 2,
  adamax: 2,
  nadam: 2,
  radam: 2,
  lion: 1,
  rprop: 2,
  rpropPlus: 3,
  irpropPlus: 3,
  quickprop: 2,
  gda: 0,
  gdx: 1,
  scg: 1,
  lbfgs: 2 * LBFGS_PAIRS,
  lm: 0,
  br: 0,
};

/** Arrays of state of the optimizer in use, if any. */
export function stateSlots(optimizer: ResolvedOptimizer | undefined): number {
  return optimizer === undefined ? 0 : OPTIMIZER_SLOTS[optimizer.type];
}

/** Arrays as long as the parameters that a method needs during a call. */
export const OPTIMIZER_WORK: Readonly<Partial<Record<OptimizerName, number>>> = { gda: 2, gdx: 3, scg: 3, lbfgs: 3 };

export const OPTIMIZER_NAMES = Object.keys(OPTIMIZER_SLOTS) as OptimizerName[];

interface Rule {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

const POSITIVE: Rule = { expected: "a finite number > 0", holds: (value) => value > 0 };
const DECAY: Rule = { expected: "a number ≥ 0 and < 1", holds: (value) => value >= 0 && value < 1 };

const ABOVE_ONE: Rule = { expected: "a finite number > 1", holds: (value) => value > 1 };
const FROM_ONE: Rule = { expected: "a finite number ≥ 1", holds: (value) => value >= 1 };
const COUNT: Rule = { expected: "an integer ≥ 1", holds: (value) => Number.isInteger(value) && value >= 1 };
const WITHIN: Rule = { expected: "a number > 0 and < 1", holds: (value) => value > 0 && value < 1 };
const NOT_NEGATIVE: Rule = { expected: "a finite number ≥ 0", holds: (value) => value >= 0 };

const RULES: Readonly<Record<string, Rule>> = {
  learningRate: POSITIVE,
  momentum: DECAY,
  dampening: DECAY,
  rho: DECAY,
  beta1: DECAY,
  beta2: DECAY,
  epsilon: POSITIVE,
  momentumDecay: NOT_NEGATIVE,
  weightDecay: NOT_NEGATIVE,
  increase: ABOVE_ONE,
  decrease: WITHIN,
  minStep: POSITIVE,
  maxStep: POSITIVE,
  maxFactor: ABOVE_ONE,
  rateIncrease: FROM_ONE,
  rateDecrease: WITHIN,
  maxLossIncrease: FROM_ONE,
  sigma: POSITIVE,
  lambda: POSITIVE,
  mu: POSITIVE,
  muIncrease: ABOVE_ONE,
  muDecrease: WITHIN,
  maxMu: POSITIVE,
  maxParameters: COUNT,
};
const SWITCHES = ["centered", "decayBias"];

/** Options of optimizers, which are often looked for one level above: name → the option they belong into. */
export const OPTIMIZER_KEYS: Readonly<Record<string, string>> = Object.fromEntries(
  [...Object.keys(RULES), ...SWITCHES].map((key) => [key, "optimizer"]),
);

/**
 * Fills in what was left out and checks every value as the kernels will see it, rounded to the dtype.
 * @throws TypeError for another kind or an unknown option, RangeError for an unknown name or a value out of range.
 */
export function resolveOptimizer(optimizer: unknown, dtype: DType = "float64", name = "optimizer"): ResolvedOptimizer {
  if (typeof optimizer === "string") return fill(oneOf(name, optimizer, OPTIMIZER_NAMES), {}, dtype, name);
  if (typeof optimizer !== "object" || optimizer === null || Array.isArray(optimizer)) {
    throw kindError(name, `${list(OPTIMIZER_NAMES, "or")}, or an object with that type`, optimizer);
  }
  const type = oneOf(`${name}.type`, (optimizer as { type?: unknown }).type, OPTIMIZER_NAMES);
  const allowed = ["type", ...Object.keys(OPTIMIZER_DEFAULTS[type])];
  return fill(type, optionsObject(name, optimizer, { allowed }), dtype, name);
}

/** What a call of `fit` or `step` uses: the given optimizer, else the one last used, else the default. */
export function optimizerOrLast(
  optimizer: unknown,
  last: ResolvedOptimizer | undefined,
  dtype: DType,
): ResolvedOptimizer {
  if (optimizer !== undefined) return resolveOptimizer(optimizer, dtype);
  return last ?? resolveOptimizer(FIT_DEFAULTS.optimizer, dtype);
}

function fill(type: OptimizerName, given: Record<string, unknown>, dtype: DType, name: string): ResolvedOptimizer {
  const resolved: Record<string, unknown> = { type };
  for (const [key, byDefault] of Object.entries(OPTIMIZER_DEFAULTS[type])) {
    const value = given[key] === undefined ? byDefault : given[key];
    const at = `${name}.${key}`;
    resolved[key] = SWITCHES.includes(key) ? booleanOf(at, value) : checked(at, value, RULES[key] as Rule, dtype);
  }
  const { learningRate, weightDecay } = resolved as { learningRate: number; weightDecay: number };
  const { mu, maxMu } = resolved as { mu: number; maxMu: number };
  if (maxMu < mu) throw valueError(`${name}.maxMu`, `at least mu, ${mu}`, maxMu);
  const { minStep, maxStep } = resolved as { minStep: number; maxStep: number };
  if (maxStep < minStep) throw valueError(`${name}.maxStep`, `at least minStep, ${minStep}`, maxStep);
  if (learningRate * weightDecay >= 1) {
    throw valueError(`${name}.weightDecay`, `less than 1/learningRate, ${1 / learningRate}`, weightDecay);
  }
  return Object.freeze(resolved) as unknown as ResolvedOptimizer;
}

function checked(name: string, value: unknown, { expected, holds }: Rule, dtype: DType): number {
  const number = numberThat(name, value, expected, holds);
  const real = rounded(number, dtype);
  if (Number.isFinite(real) && holds(real)) return number;
  throw new RangeError(`${name}: expected ${expected} after rounding to ${dtype}, got ${number}`);
}
