// The one table of defaults and limits. Everything a user may leave out is filled from here.

/** Largest accepted values: far beyond what fits in memory, low enough that counts stay exact. */
export const LIMITS = {
  /** Units of a layer, and inputs of a network. */
  units: 16_777_216,
  layers: 65_536,
  /** Rows are numbered by 32-bit integers in the core. */
  rows: 2_147_483_647,
  batchSize: 2_147_483_647,
  epochs: 2_147_483_647,
  steps: 2_147_483_647,
  seconds: 2_147_483_647,
  seed: Number.MAX_SAFE_INTEGER,
} as const;

export const SPEC_DEFAULTS = {
  activation: "linear",
  bias: true,
  trainable: true,
  biasInit: "zeros",
} as const;

export const ACTIVATION_DEFAULTS = {
  /** Slope below 0: PyTorch's LeakyReLU (Keras 3: 0.3). */
  leakyRelu: { alpha: 0.01 },
  /** Limit −alpha far below 0: PyTorch's and Keras's ELU. */
  elu: { alpha: 1 },
} as const;

/** δ of huber: PyTorch and Keras. */
export const LOSS_DEFAULTS = { delta: 1 } as const;

export const NETWORK_DEFAULTS = { seed: 0, dtype: "float32", core: "auto" } as const;

export const FIT_DEFAULTS = { epochs: 100, batchSize: 32, optimizer: "adam", shuffle: true } as const;

const DECAY = { weightDecay: 0, decayBias: false } as const;
/** torch.optim.Rprop's. */
const RPROP = { learningRate: 0.01, increase: 1.2, decrease: 0.5, minStep: 1e-6, maxStep: 50 } as const;
/** MATLAB's traingda and traingdx. */
const GDA = { learningRate: 0.01, rateIncrease: 1.05, rateDecrease: 0.7, maxLossIncrease: 1.04 } as const;
/** MATLAB's trainlm (trainbr: μ 0.005); maxParameters ours: 64 MB of matrices. */
const LM = { mu: 0.001, muIncrease: 10, muDecrease: 0.1, maxMu: 1e10, maxParameters: 2000 } as const;
const ADAM = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...DECAY } as const;

/** Patience: Keras's plateau and PyTorch's (Keras's early stopping: 0); factor 0.1: both. */
export const SCHEDULE_DEFAULTS = { factor: 0.1, patience: 10 } as const;

/**
 * Rates and coefficients of each optimizer. Coefficients follow PyTorch's torch.optim (Keras 3 differs: Adam's epsilon 1e-7, RMSprop's
 * rho 0.9, Adadelta's rho 0.95); lion those of its paper (Chen et al. 2023). Rates too, but where the frameworks' ones
 * are timid: torch.optim.SGD 1e-3, Keras 3 SGD 0.01, both with momentum 0; RMSprop as Keras 3 (PyTorch 0.01).
 */
export const OPTIMIZER_DEFAULTS = {
  sgd: { learningRate: 0.1, ...DECAY },
  momentum: { learningRate: 0.02, momentum: 0.9, dampening: 0, ...DECAY },
  nesterov: { learningRate: 0.02, momentum: 0.9, ...DECAY },
  adagrad: { learningRate: 0.01, epsilon: 1e-10, ...DECAY },
  adadelta: { learningRate: 1, rho: 0.9, epsilon: 1e-6, ...DECAY },
  rmsprop: { learningRate: 0.001, rho: 0.99, momentum: 0, centered: false, epsilon: 1e-8, ...DECAY },
  adam: ADAM,
  amsgrad: ADAM,
  adamw: { ...ADAM, weightDecay: 0.01 },
  adamax: { ...ADAM, learningRate: 0.002 },
  nadam: { ...ADAM, learningRate: 0.002, momentumDecay: 0.004 },
  radam: ADAM,
  lion: { learningRate: 0.0001, beta1: 0.9, beta2: 0.99, ...DECAY },
  rprop: RPROP,
  rpropPlus: RPROP,
  irpropPlus: RPROP,
  /** Fahlman's μ; η is ours, for a mean loss. */
  quickprop: { learningRate: 0.1, maxFactor: 1.75 },
  gda: GDA,
  gdx: { ...GDA, momentum: 0.9 },
  /** MATLAB's trainscg. */
  scg: { sigma: 5e-5, lambda: 5e-7 },
  lbfgs: {},
  lm: LM,
  br: { ...LM, mu: 0.005 },
} as const;
