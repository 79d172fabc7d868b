// chainrule/export: a trained network as one file that needs nothing of chainrule.
import { float32, float64 } from "../core/embedded-standalone.ts";
import { decodeHex } from "../core/hex.ts";
import { kindError } from "../errors.ts";
import type { Network } from "../network.ts";
import { integerIn, oneOf, optionsObject } from "../options/checks.ts";
import { LIMITS } from "../options/defaults.ts";
import { placeNetwork } from "../predict/place.ts";
import { readPredictor } from "../predict/read.ts";
import { moduleText } from "./module-text.ts";
import { withData } from "./patch.ts";
import { checkSize } from "./sizes.ts";

/** Options of `exportModule`. */
export interface ExportOptions {
  /** "wasm" (default): the binary of docs/export.md. "mjs": an ES module around it, in UTF-8. */
  format?: "wasm" | "mjs";
  /** Rows that the buffers hold, which one call of `predict(rows)` takes at most: 1 … 2²⁴, 256. */
  rows?: number;
}

const ROWS = 256;

/**
 * A network that only predicts, as one file without imports (docs/export.md): weights, scalings of inputs and targets,
 * running statistics. Its predictions have the bits of `network.predict` on the baseline core. Dropout and noise do nothing in it; names, loss and optimizer
 * stay behind. `network` is a Network (during a fit: its last whole step) or what `save` gave.
 * @throws TypeError, RangeError; RangeError where weights and buffers need more than 4 GiB, or the binary more than 1 GiB, in
 * an .mjs 384 MiB
 * @example
 * import { exportModule } from "chainrule/export";
 * await writeFile("net.wasm", exportModule(network));
 * await writeFile("net.mjs", exportModule(network, { format: "mjs" }));
 */
export function exportModule(network: Network | Uint8Array, options: ExportOptions = {}): Uint8Array<ArrayBuffer> {
  const given = optionsObject("exportModule", options, { allowed: ["format", "rows"] });
  const format = given.format === undefined ? "wasm" : oneOf("format", given.format, ["wasm", "mjs"]);
  const rowCapacity = given.rows === undefined ? ROWS : integerIn("rows", given.rows, 1, LIMITS.units);
  const predicting = readPredictor(savedBytes(network));
  const { dtype, inputs, outputs } = predicting;
  const template = decodeHex(dtype === "float32" ? float32 : float64);
  const fits = (dataBytes: number) => checkSize(format, template, dataBytes);
  const binary = withData(template, placeNetwork(predicting, rowCapacity, fits));
  if (format === "wasm") return binary;
  return new TextEncoder().encode(moduleText(encodeBase64(binary), { inputs, outputs, rowCapacity, dtype }));
}

function savedBytes(network: unknown): unknown {
  if (ArrayBuffer.isView(network)) return network;
  const save = typeof network === "object" && network !== null ? (network as Partial<Network>).save : undefined;
  if (typeof save !== "function") throw kindError("network", "a Network, or the bytes of a saved one", network);
  return (network as Network).save({ optimizer: false });
}

/** Whole groups of three bytes at a time, so that the parts can be joined. */
function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3 * 4096) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 3 * 4096))));
  }
  return parts.join("");
}
