/** Hands a text to the browser's downloads. */
export function saveFile({ name, text }: { readonly name: string; readonly text: string }): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Once the download has begun it does not need the address any more.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
