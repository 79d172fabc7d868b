// Sums of products in twice the precision of f64: what the error of a fused product is measured against.

/** x + y = sum + error, exactly (Knuth). */
function twoSum(x: number, y: number): [sum: number, error: number] {
  const sum = x + y;
  const back = sum - x;
  return [sum, x - (sum - back) + (y - back)];
}

/** x·y = product + error, exactly (Dekker), away from overflow and underflow. */
function twoProduct(x: number, y: number): [product: number, error: number] {
  const split = (value: number): [number, number] => {
    const scaled = 134217729 * value;
    const high = scaled - (scaled - value);
    return [high, value - high];
  };
  const product = x * y;
  const [xHigh, xLow] = split(x);
  const [yHigh, yLow] = split(y);
  return [product, xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow)];
}

/** |got − (start + Σ x·y)| as a share of γₖ·(|start| + Σ|x·y|), γₖ = k·u/(1 − k·u), k = 1 + the number of products. */
export function shareOfBound(
  got: number,
  start: number,
  x: readonly number[],
  y: readonly number[],
  u: number,
): number {
  let high = start;
  let low = 0;
  let magnitude = Math.abs(start);
  for (const [i, value] of x.entries()) {
    const [product, productError] = twoProduct(value, y[i] as number);
    const [sum, sumError] = twoSum(high, product);
    [high, low] = [sum, low + sumError + productError];
    magnitude += Math.abs(product);
  }
  const k = x.length + 1;
  const error = Math.abs(got - high - low);
  return error === 0 ? 0 : error / (((k * u) / (1 - k * u)) * magnitude);
}
