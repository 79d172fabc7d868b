/** a = scale·x + shift, one pair per column. */
export interface Scaling {
  scale: number[];
  shift: number[];
}

/** Mean and standard deviation (divisor n) of n numbers; deviation exactly 0 when all are equal. */
function meanAndDeviation(values: Float64Array): { mean: number; deviation: number } {
  const first = values[0] as number;
  if (values.every((value) => value === first)) return { mean: first, deviation: 0 };
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/**
 * The scaling that gives every column mean 0 and deviation 1 over the given rows of x [rows × cols]. A column that is
 * constant there says nothing: its scale and shift are 0, so that it stays without effect whatever it holds later.
 */
export function standardization(x: Float64Array, cols: number, rows: Int32Array): Scaling {
  const scale: number[] = [];
  const shift: number[] = [];
  const column = new Float64Array(rows.length);
  for (let j = 0; j < cols; j++) {
    rows.forEach((row, i) => {
      column[i] = x[row * cols + j] as number;
    });
    const { mean, deviation } = meanAndDeviation(column);
    scale.push(deviation === 0 ? 0 : 1 / deviation);
    shift.push(deviation === 0 ? 0 : -mean / deviation);
  }
  return { scale, shift };
}

/** Mean and deviation of a target over the given rows; deviation 1 when it is constant there. */
export function targetScale(y: Float64Array, rows: Int32Array): { mean: number; deviation: number } {
  const { mean, deviation } = meanAndDeviation(Float64Array.from(rows, (row) => y[row] as number));
  return { mean, deviation: deviation === 0 ? 1 : deviation };
}
