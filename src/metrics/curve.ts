/**
 * The area under the ROC curve: the probability that a positive row has a higher score than a negative one, ties counting half
 * (Mann–Whitney). NaN where one of the two does not occur or a score is not a number. Both arrays are sorted in place.
 */
export function areaUnderCurve(positives: Float64Array, negatives: Float64Array): number {
  // The order of numbers, not of texts; what is not a number comes last.
  positives.sort();
  negatives.sort();
  if (Number.isNaN(positives.at(-1)) || Number.isNaN(negatives.at(-1))) return Number.NaN;
  let below = 0;
  let notAbove = 0;
  let wins = 0;
  for (const score of positives) {
    while (below < negatives.length && (negatives[below] as number) < score) below++;
    while (notAbove < negatives.length && (negatives[notAbove] as number) <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (positives.length * negatives.length);
}
