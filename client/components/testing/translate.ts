/**
 * Does to a page what a browser's translator does: each text node gives its place to two
 * elements with the translated text. React still holds the old node, and changes to it are
 * not seen. Text is safe as the only child of an element: React then sets the element's text.
 */
export function translate(root: Node): void {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found: Node[] = [];
  while (texts.nextNode()) found.push(texts.currentNode);
  for (const text of found) {
    if (!text.textContent?.trim() || text.parentElement?.closest("font, [translate=no]")) continue;
    const outer = document.createElement("font");
    const inner = document.createElement("font");
    inner.textContent = text.textContent;
    outer.append(inner);
    text.parentNode?.replaceChild(outer, text);
  }
}
