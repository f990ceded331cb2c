"use client";

import { receiptText } from "@/lib/receipt";
import { useSettings } from "@/sync";

/** How far the last change has come, under the forms. */
export function ReceiptLine() {
  const { snapshot } = useSettings();
  return <p className="min-h-6 px-1 text-muted text-sm">{receiptText(snapshot)}</p>;
}
