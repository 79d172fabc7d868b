// The numbers that both sides of the boundary share. Literal constants only: the build generates
// src/core/abi.ts from this file, line by line. Offsets are in bytes from the start of a record;
// fields named …Ptr hold byte addresses, f64 fields are marked.

export const ABI_VERSION: i32 = 4;

// ── Codes ──────────────────────────────────────────────────────────────────────────────────────

export const NODE_KIND_INPUT: i32 = 0; // the rows of the data window
export const NODE_KIND_DENSE: i32 = 1; // z = W·a⁻ + b, a = f(z)
export const NODE_KIND_AFFINE: i32 = 2; // a = scale ∘ a⁻ + shift, fixed
export const NODE_KIND_DROPOUT: i32 = 3; // a = a⁻ ∘ m, m 0 or 1/(1 − rate)
export const NODE_KIND_NOISE: i32 = 4; // a = a⁻ + noise
export const NODE_KIND_BATCH_NORM: i32 = 5; // a = f(γ ∘ x̂ + β), x̂ over the batch
export const NODE_KIND_LAYER_NORM: i32 = 6; // a = f(γ ∘ x̂ + β), x̂ over the units

export const ACTIVATION_LINEAR: i32 = 0;
export const ACTIVATION_SIGMOID: i32 = 1;
export const ACTIVATION_TANH: i32 = 2;
export const ACTIVATION_RELU: i32 = 3;
export const ACTIVATION_LEAKY_RELU: i32 = 4; // NODE_ALPHA = slope below 0
export const ACTIVATION_SOFTMAX: i32 = 5;
export const ACTIVATION_ELU: i32 = 6; // NODE_ALPHA = α
export const ACTIVATION_SELU: i32 = 7;
export const ACTIVATION_SOFTPLUS: i32 = 8;
export const ACTIVATION_SOFTSIGN: i32 = 9;
export const ACTIVATION_HARD_SIGMOID: i32 = 10;
export const ACTIVATION_RELU6: i32 = 11;
export const ACTIVATION_SILU: i32 = 12; // from here on the derivative is taken from z, which is kept
export const ACTIVATION_GELU: i32 = 13;
export const ACTIVATION_MISH: i32 = 14;
export const ACTIVATION_HARD_SWISH: i32 = 15;

export const LOSS_SQUARED_ERROR: i32 = 0; // ½·Σ(a − y)²
export const LOSS_MEAN_SQUARED_ERROR: i32 = 1; // Σ(a − y)² / outputs
export const LOSS_CROSS_ENTROPY: i32 = 2; // −Σ y·log softmax(z)
export const LOSS_BINARY_CROSS_ENTROPY: i32 = 3; // −Σ (y·log σ(z) + (1−y)·log(1−σ(z))) / outputs
export const LOSS_MEAN_ABSOLUTE_ERROR: i32 = 4; // Σ|a − y| / outputs; with e = a − y:
export const LOSS_HUBER: i32 = 5; // Σ (|e| ≤ δ ? ½e² : δ·(|e| − ½δ)) / outputs, δ = NET_LOSS_DELTA
export const LOSS_LOG_COSH: i32 = 6; // Σ log cosh e / outputs
export const LOSS_HINGE: i32 = 7; // Σ max(0, 1 − y·a) / outputs
export const LOSS_SQUARED_HINGE: i32 = 8; // Σ max(0, 1 − y·a)² / outputs
export const LOSS_POISSON: i32 = 9; // Σ (a − y·log a) / outputs
export const LOSS_KULLBACK_LEIBLER: i32 = 10; // Σ y·log(y / softmax(z)), 0·log 0 = 0
export const LOSS_CUSTOM: i32 = 11; // the host's: run stops with RUN_NEEDS_LOSS

export const OPTIMIZER_SGD: i32 = 0;
export const OPTIMIZER_MOMENTUM: i32 = 1; // one state slot
export const OPTIMIZER_NESTEROV: i32 = 2; // one state slot
export const OPTIMIZER_ADAM: i32 = 3; // two state slots
export const OPTIMIZER_ADAGRAD: i32 = 4; // one
export const OPTIMIZER_ADADELTA: i32 = 5; // two
export const OPTIMIZER_RMSPROP: i32 = 6; // three: mean square, mean, velocity
export const OPTIMIZER_AMSGRAD: i32 = 7; // three: moments, largest second moment
export const OPTIMIZER_ADAMW: i32 = 8; // two
export const OPTIMIZER_ADAMAX: i32 = 9; // two
export const OPTIMIZER_NADAM: i32 = 10; // two
export const OPTIMIZER_RADAM: i32 = 11; // two
export const OPTIMIZER_LION: i32 = 12; // one
export const OPTIMIZER_RPROP: i32 = 13; // two: gradient, step size
export const OPTIMIZER_RPROP_PLUS: i32 = 14; // three: and the last move
export const OPTIMIZER_IRPROP_PLUS: i32 = 15; // three
export const OPTIMIZER_QUICKPROP: i32 = 16; // two: slope, step

export const INIT_CONSTANT: i32 = 0; // a
export const INIT_UNIFORM: i32 = 1; // a + (b − a)·u, u in [0, 1)
export const INIT_NORMAL: i32 = 2; // a + b·n, n standard normal

// What a draw is for: word 3 of the generator's counter (random.ts).
export const PURPOSE_INIT: i32 = 1; // indices: node and part, element
export const PURPOSE_ORDER: i32 = 2; // indices: epoch, position
export const PURPOSE_SPLIT: i32 = 3; // indices: group, position
export const PURPOSE_DROPOUT: i32 = 4; // + 256·node; indices: group of four units, position in the batch, step
export const PURPOSE_NOISE: i32 = 5; // + 256·node; indices: unit, position in the batch, step

export const MODE_TRAIN: i32 = 0; // forward, backward, update
export const MODE_GRADIENT: i32 = 1; // forward, backward; gradients stay in the gradient region
export const MODE_EVALUATE: i32 = 2; // forward, loss
export const MODE_PREDICT: i32 = 3; // forward, outputs written row by row

export const ORDER_SLICE: i32 = 65536; // entries of an epoch's order that count as one block

export const TARGET_DENSE: i32 = 0; // rows of reals
export const TARGET_CLASS: i32 = 1; // one i32 per row

export const RUN_MORE: i32 = 0; // the budget of blocks is used up
export const RUN_DONE: i32 = 1; // epochs or steps asked for are done (EVALUATE, PREDICT: all rows)
export const RUN_REPORTS_FULL: i32 = 2; // the report region is full
export const RUN_NEEDS_DATA: i32 = 3; // the next block lies outside the window
export const RUN_DIVERGED: i32 = 4; // the loss of the step just done is not finite
export const RUN_NEEDS_LOSS: i32 = 5; // the exchange holds a block's outputs; run goes on with ∂loss/∂a in their place

// ── Network record: one per network ────────────────────────────────────────────────────────────

export const NET_NODE_COUNT: i32 = 0;
export const NET_NODES_PTR: i32 = 4; // node records, NODE_SIZE each, topological order; node 0 is the input
export const NET_SEGMENT_COUNT: i32 = 8;
export const NET_SEGMENTS_PTR: i32 = 12; // segment records, SEGMENT_SIZE each
export const NET_PARAMS_PTR: i32 = 16;
export const NET_PARAMS_LENGTH: i32 = 20; // elements, padding included
export const NET_GRADIENTS_PTR: i32 = 24; // laid out as the parameters
export const NET_STATE_PTR: i32 = 28; // NET_STATE_SLOTS regions laid out as the parameters
export const NET_STATE_SLOTS: i32 = 32;
export const NET_LOSS: i32 = 36;
export const NET_PACK_A_PTR: i32 = 40; // packed activations: [⌈n⁻/TC⌉][M][TC], the largest over all layers
export const NET_PACK_D_PTR: i32 = 44; // packed deltas: [n][M]
export const NET_PACK_W_PTR: i32 = 48; // columns of W, copied: PACK_COLUMNS·min(roundUp(n, 4), PACK_DEPTH) elements
export const NET_LOSS_SCRATCH_PTR: i32 = 52; // softmax of the output: max [panels][8], then sum [panels][8]
export const NET_SEED_LOW: i32 = 56;
export const NET_SEED_HIGH: i32 = 60;
export const NET_BLOCK_CAPACITY: i32 = 64; // M: samples per block, a multiple of 8
export const NET_CLASS_WEIGHTS_PTR: i32 = 68; // f64 per class (binaryCrossEntropy: of 0, of 1), or 0
export const NET_LOSS_DELTA: i32 = 72; // f64: huber's δ
export const NET_LABEL_SMOOTHING: i32 = 80; // f64, 0 ≤ s < 1
export const NET_UNFUSED: i32 = 88; // 1: gradients are stored before any update: a largest norm, a normalisation
export const NET_EXCHANGE_PTR: i32 = 92; // LOSS_CUSTOM: outputs of a block [M × outputs], then their gradient
export const NET_ROW_CAPACITY: i32 = 96; // this and the next four: standalone.ts alone. Rows of its buffers
export const NET_INPUT_PTR: i32 = 100; // [rows × inputs]
export const NET_OUTPUT_PTR: i32 = 104; // [rows × outputs]
export const NET_TARGET_SCALE_PTR: i32 = 108; // f64 [outputs], or 0: outputs are in the targets' units
export const NET_TARGET_SHIFT_PTR: i32 = 112; // f64 [outputs]
export const NET_SIZE: i32 = 128;
// Room for what the delta recursion copies of W: 4 columns of up to 1024 units, 6 of up to 512 (gemm.ts: MAX_DEPTH).
export const PACK_COLUMNS: i32 = 8;
export const PACK_DEPTH: i32 = 512;

export const NET_ADDRESS: i32 = 4096; // of the network record in every memory: the bytes before it are the binary's static data

// ── Node record ────────────────────────────────────────────────────────────────────────────────

export const NODE_KIND: i32 = 0;
export const NODE_UNITS: i32 = 4; // nOut
export const NODE_INPUTS: i32 = 8; // nIn
export const NODE_FROM: i32 = 12; // index of the node it reads
export const NODE_ACTIVATION: i32 = 16;
export const NODE_FLAGS: i32 = 20;
export const NODE_PITCH: i32 = 24; // elements between rows of W
export const NODE_A_PTR: i32 = 28; // activation panels [M/8][units][8]; batch 1: [units]
export const NODE_Z_PTR: i32 = 32; // net input panels; = NODE_A_PTR where z is not kept
export const NODE_DELTA_PTR: i32 = 36; // ∂loss/∂z panels
export const NODE_W_PTR: i32 = 40; // [units × pitch]; affine: scale [units]; normalisations: γ [units]
export const NODE_B_PTR: i32 = 44; // [units], 0 without bias; affine: shift [units]
export const NODE_DW_PTR: i32 = 48;
export const NODE_DB_PTR: i32 = 52;
export const NODE_ALPHA: i32 = 56; // f64
export const NODE_EXTRA_PTR: i32 = 64; // panels [M/8][units][8]: factors of dropout, x̂ of a normalisation
export const NODE_INVERSE_PTR: i32 = 68; // 1/√(variance + ε): [units] and behind it the means, or [M] of layer normalisation
export const NODE_MEAN_PTR: i32 = 72; // running mean [units]
export const NODE_VARIANCE_PTR: i32 = 76; // running variance [units]
export const NODE_RATE: i32 = 80; // f64: of dropout; deviation of noise; share that running values take from a batch
export const NODE_EPSILON: i32 = 88; // f64
export const NODE_STRIPS_PTR: i32 = 96; // within a chunk of online training: W's whole vectors of rows as strips (columns.ts), or 0
export const NODE_SIZE: i32 = 128;

export const NODE_FLAG_TRAIN_W: i32 = 1;
export const NODE_FLAG_TRAIN_B: i32 = 2;
export const NODE_FLAG_PASS_DELTA: i32 = 4; // something below this node is trained: hand the delta down

// ── Segment record: one per trainable array (W or b of a node) ─────────────────────────────────

export const SEGMENT_NODE: i32 = 0;
export const SEGMENT_PART: i32 = 4; // 0 weights, 1 bias
export const SEGMENT_OFFSET: i32 = 8; // elements from NET_PARAMS_PTR
export const SEGMENT_ROWS: i32 = 12;
export const SEGMENT_COLS: i32 = 16;
export const SEGMENT_PITCH: i32 = 20;
export const SEGMENT_TRAINABLE: i32 = 24; // 0 or 1
export const SEGMENT_L1: i32 = 32; // f64: penalty Σ l1·|w| + l2·w²
export const SEGMENT_L2: i32 = 40; // f64
export const SEGMENT_MAX_NORM: i32 = 48; // f64: of a row, or 0
export const SEGMENT_SIZE: i32 = 64;

// ── Job record: one piece of work, resumable between blocks ────────────────────────────────────

export const JOB_MODE: i32 = 0;
export const JOB_X_PTR: i32 = 4; // row WINDOW_BEGIN of the data, rows of X_PITCH reals
export const JOB_X_PITCH: i32 = 8; // elements
export const JOB_Y_PTR: i32 = 12; // targets of row WINDOW_BEGIN
export const JOB_TARGET_KIND: i32 = 16;
export const JOB_ROWS: i32 = 20; // N
export const JOB_WINDOW_BEGIN: i32 = 24; // first row that is in memory
export const JOB_WINDOW_END: i32 = 28; // one past the last
export const JOB_ORDER_PTR: i32 = 32; // i32 [N], or 0: rows in the given order
export const JOB_BATCH: i32 = 36; // samples per step
export const JOB_BLOCK: i32 = 40; // samples per block, a multiple of 8, at most NET_BLOCK_CAPACITY
export const JOB_POSITION: i32 = 44; // samples of the epoch in finished steps
export const JOB_IN_STEP: i32 = 48; // samples of the current step in finished blocks
export const JOB_ORDERED: i32 = 52; // how far this epoch's order is made: 0 not begun … N identity … 2N shuffled
export const JOB_EPOCHS_LEFT: i32 = 56;
export const JOB_STEPS_LEFT: i32 = 60;
export const JOB_OUT_PTR: i32 = 64; // PREDICT, and EVALUATE where it is not 0: row WINDOW_BEGIN of the outputs [rows × outputs]
export const JOB_INPUT_GRADIENT_PTR: i32 = 68; // GRADIENT: row WINDOW_BEGIN of ∂loss/∂x [rows × inputs], or 0
export const JOB_REPORTS_PTR: i32 = 72; // per finished epoch two f64: mean loss, correct samples
export const JOB_REPORTS_COUNT: i32 = 76;
export const JOB_REPORTS_CAPACITY: i32 = 80;
export const JOB_FLAGS: i32 = 84;
export const JOB_OPTIMIZER: i32 = 88;
export const JOB_PIECE: i32 = 92; // weights after which a block too large for one call is left for the next; 0: none is
export const JOB_EPOCH: i32 = 96; // f64: finished epochs of the network's life
export const JOB_STEP: i32 = 104; // f64: finished steps of the network's life
export const JOB_EPOCH_LOSS: i32 = 112; // f64: Σ B·loss over the finished steps of the epoch
export const JOB_EPOCH_CORRECT: i32 = 120; // f64: correctly classified samples, finished steps
export const JOB_STEP_LOSS: i32 = 128; // f64: loss of the last finished step (EVALUATE: of all rows)
export const JOB_STEP_CORRECT: i32 = 136; // f64: correct samples of the current step so far
export const JOB_LOSS_TOTAL: i32 = 144; // f64: finished reduction blocks of the current step
export const JOB_LOSS_LANES: i32 = 152; // f64 [8]: the interleaved accumulators
export const JOB_LEARNING_RATE: i32 = 216; // f64
export const JOB_MOMENTUM: i32 = 224; // f64
export const JOB_BETA1: i32 = 232; // f64
export const JOB_BETA2: i32 = 240; // f64
export const JOB_EPSILON: i32 = 248; // f64
export const JOB_SCALARS: i32 = 256; // f64 [8]: what the optimizer carries from step to step (src/options/optimizer.ts)
export const JOB_BETA1_POWER: i32 = 256; // f64, scalar 0 of adam and its kin: β₁ᵗ, 1 before the first step; nadam: Πμ
export const JOB_BETA2_POWER: i32 = 264; // f64, scalar 1: β₂ᵗ
export const JOB_DECAY_POWER: i32 = 272; // f64, scalar 2 of nadam: 0.96^(t·ψ)
export const JOB_RADAM_STEPS: i32 = 272; // f64, scalar 2 of radam: t
export const JOB_MOMENTUM_STEPS: i32 = 256; // f64, scalar 0 of momentum: t
export const JOB_PHASE: i32 = 320; // of a divided block: the phase it has come to (train.ts), 0 between blocks
export const JOB_DONE: i32 = 324; // units, or elements of the parameters, of that phase that are done
export const JOB_SAMPLE_WEIGHTS_PTR: i32 = 328; // f64 of row WINDOW_BEGIN, one per row, mean 1 over the rows; or 0
export const JOB_PREVIOUS_LOSS: i32 = 256; // f64, scalar 0 of irpropPlus: loss of the step before
export const JOB_INCREASE: i32 = 336; // f64: rprop η⁺, quickprop μ
export const JOB_DECREASE: i32 = 344; // f64: rprop η⁻
export const JOB_MIN_STEP: i32 = 352; // f64
export const JOB_MAX_STEP: i32 = 360; // f64
export const JOB_ROSE: i32 = 368; // irpropPlus: 1 where the loss rose
export const JOB_WEIGHT_DECAY: i32 = 376; // f64: λ of the decoupled decay
export const JOB_RHO: i32 = 384; // f64: decay of a mean of squares
export const JOB_DAMPENING: i32 = 392; // f64
export const JOB_DECAY_BIAS: i32 = 400; // 1: biases decay too
export const JOB_CENTERED: i32 = 404; // rmsprop: 0 or 1
export const JOB_DECAY_FACTOR: i32 = 408; // f64: nadam's 0.96^ψ
export const JOB_RATES_PTR: i32 = 432; // f64: learning rates of the steps from RATES_BASE on; or 0: LEARNING_RATE for all
export const JOB_RATES_BASE: i32 = 440; // f64: a step of the network's life
export const JOB_ADJUST: i32 = 448; // ADJUST_…: what becomes of gradients before the update
export const JOB_CLIP_VALUE: i32 = 456; // f64
export const JOB_CLIP_NORM: i32 = 464; // f64
export const JOB_CLIP_FACTOR: i32 = 472; // f64: what the norm's clipping multiplies with
export const JOB_STEP_PENALTY: i32 = 480; // f64: of the parameters before the last step
export const JOB_GRADIENT_NORM: i32 = 488; // f64: of the last step's gradient, after the penalty, before clipping by norm
export const JOB_PENALTY_SUM: i32 = 496; // f64 [9]: sums.ts
export const JOB_NORM_SUM: i32 = 568; // f64 [9]
export const JOB_SIZE: i32 = 768;

export const ADJUST_PENALTY: i32 = 1;
export const ADJUST_CLIP_VALUE: i32 = 2;
export const ADJUST_CLIP_NORM: i32 = 4;
export const ADJUST_NORM: i32 = 8; // the norm is asked for

export const JOB_FLAG_ALL: i32 = 1; // GRADIENT: frozen parameters too
export const JOB_FLAG_COUNT: i32 = 2; // count correctly classified samples
