/**
 * The area under the ROC curve: the probability that a positive row has a higher score than a negative one, ties counting half
 * (Mann–Whitney). NaN where one of the two does not occur.
 */
export function areaUnderCurve(scores: readonly number[], positive: readonly boolean[]): number {
  const order = scores.map((_, i) => i).sort((i, j) => (scores[i] as number) - (scores[j] as number));
  let positives = 0;
  let wins = 0;
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    const score = scores[order[begin] as number] as number;
    let own = 0;
    while (end < order.length && scores[order[end] as number] === score)
      own += Number(positive[order[end++] as number]);
    if (end === begin) return Number.NaN; // a score that is not a number equals nothing
    const negatives = end - begin - own;
    // They win against the negatives before them.
    wins += own * (begin - positives) + (own * negatives) / 2;
    positives += own;
  }
  return wins / (positives * (order.length - positives));
}
