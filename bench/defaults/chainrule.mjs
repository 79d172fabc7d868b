// A problem learnt with chainrule, everything but the epochs at its default.
import { Network } from "../../dist/index.js";

/** Predictions of the test rows: numbers, or classes. */
export function learn({ units, hidden = "tanh", output, epochs, scaling = [], targetScaling }, { x, y, test }, seed) {
  const dense = units.slice(1).map((count, l) => ({
    units: count,
    activation: l === units.length - 2 ? output : hidden,
  }));
  const layers = [...scaling, ...dense];
  const network = Network.createSync({ inputs: units[0], layers, ...(targetScaling && { targetScaling }) }, { seed });
  network.fitSync(x, y, { epochs });
  const found = output === "linear" ? network.predict(test.x).data : network.predictClasses(test.x);
  network.dispose();
  return Array.from(found);
}
