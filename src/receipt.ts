// Public names and types of chainrule/receipt, nothing else.

export { type Receipt, receipt } from "./receipt/receipt.ts";
export type { Call, DataMark, FitCall } from "./receipt/record.ts";
