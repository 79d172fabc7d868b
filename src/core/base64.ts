import { clearUpperHalves } from "./vector-state.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** What some runtimes have for this beside `atob`. */
interface BuiltIn {
  readonly Uint8Array: { fromBase64?(text: string): Bytes };
  readonly Buffer?: { from(text: string, encoding: "base64"): Uint8Array };
}

/** Bytes of a string in base64. */
export function decodeBase64(text: string): Bytes {
  const bytes = decoded(text);
  clearUpperHalves();
  return bytes;
}

function decoded(text: string): Bytes {
  const builtIn = globalThis as BuiltIn;
  // A loop over forty thousand letters takes milliseconds in an engine that has just started (measured).
  if (typeof builtIn.Uint8Array.fromBase64 === "function") return builtIn.Uint8Array.fromBase64(text);
  if (typeof builtIn.Buffer?.from === "function") return new Uint8Array(builtIn.Buffer.from(text, "base64"));
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
