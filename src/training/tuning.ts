/**
 * For tests: forces the sizes that otherwise follow from estimates and the clock. No value changes a bit of a result
 * (DESIGN.md I1, I3); the tests of that promise set them.
 */
export const tuning: {
  /** Samples per block, a multiple of 8. */
  blockSamples: number | undefined;
  /** Blocks per chunk. */
  chunkBlocks: number | undefined;
  /** Weights per piece of a block, 0: blocks are not divided. */
  pieceWeights: number | undefined;
} = { blockSamples: undefined, chunkBlocks: undefined, pieceWeights: undefined };
