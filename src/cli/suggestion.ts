import { nearestName } from "../options/nearest.ts";

/** `; did you mean x?`, or the list of what there is when nothing is near. `quote` writes a candidate. */
export function suggestion(name: string, candidates: readonly string[], quote: (text: string) => string): string {
  const near = nearestName(name, candidates);
  if (near !== undefined) return `; did you mean ${quote(near)}?`;
  const shown = candidates.slice(0, 8).map(quote).join(", ");
  return `; there is ${shown}${candidates.length > 8 ? `, … (${candidates.length} in all)` : ""}`;
}
