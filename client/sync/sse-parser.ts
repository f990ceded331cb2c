/** What a piece of an event stream holds: the `data` of an event, or only a sign of life. */
export type SseItem = { readonly kind: "event"; readonly data: string } | { readonly kind: "alive" };

/**
 * Reads `text/event-stream` as it comes, in pieces cut anywhere. Only `data` and comments
 * matter here: what kind of frame it is stands in the frame itself.
 */
export class SseParser {
  private rest = "";
  private data: string[] = [];
  private begun = false;

  readonly push = (piece: string): SseItem[] => {
    const text = this.rest + (this.begun ? piece : piece.replace(/^\uFEFF/, ""));
    this.begun ||= piece.length > 0;
    // A line ends with LF, CR LF or CR; a CR at the very end may still get its LF.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    return lines.flatMap(this.line);
  };

  private readonly line = (line: string): SseItem[] => {
    if (line === "") {
      const { data } = this;
      this.data = [];
      return data.length > 0 ? [{ kind: "event", data: data.join("\n") }] : [];
    }
    if (line.startsWith(":")) return [{ kind: "alive" }];
    if (line === "data") this.data.push("");
    else if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
    return [];
  };
}
