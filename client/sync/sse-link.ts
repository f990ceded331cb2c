import { brokenOff } from "./codes";
import type { Link, LinkEvents, LinkStart, OpenLink } from "./link";
import { type Cursor, type PatchFrame, parseServerFrame } from "./protocol";
import { patchAnswer, patchType, streamFate } from "./sse-answers";
import { SseParser } from "./sse-parser";
import { encodeJson } from "./well-formed";

/** Where the stream and the settings of one user are, and how to ask. */
export interface SseRoutes {
  readonly events: string;
  readonly settings: string;
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Links over server-sent events and PATCH (SPEC H1, P7), for networks that let no socket
 * through. Read with `fetch`, since an EventSource cannot carry a token. Hints, pongs
 * and focus have no way back and are dropped.
 */
export function sseLinks(routes: SseRoutes): OpenLink {
  return (start, events) => {
    const link = new SseLink(routes, start, events);
    link.read(start.resume);
    return link;
  };
}

class SseLink implements Link {
  readonly transport = "sse";
  private token: string;
  private epoch: string | null;
  private over = false;
  private opened = false;
  private reading: AbortController | null = null;

  constructor(
    private readonly routes: SseRoutes,
    start: LinkStart,
    private readonly events: LinkEvents,
  ) {
    this.token = start.token;
    this.epoch = start.resume?.epoch ?? null;
  }

  readonly send: Link["send"] = (frame) => {
    if (this.over) return;
    switch (frame.type) {
      case "patch":
        void this.patch(frame);
        return;
      case "sync":
        // The stream itself is the answer: opened anew from there (SPEC H1, S5).
        this.read(
          this.epoch !== null && frame.revision > 0 ? { epoch: this.epoch, revision: frame.revision } : null,
        );
        return;
      case "auth":
        this.token = frame.token;
        return;
      case "hello":
      case "preview":
      case "focus":
      case "pong":
        return;
    }
  };

  readonly close = (): void => {
    this.over = true;
    this.reading?.abort();
  };

  /** Opens the stream from `resume`, in place of the one before. */
  read(resume: Cursor | null): void {
    this.reading?.abort();
    const reading = new AbortController();
    this.reading = reading;
    this.stream(resume, reading.signal).then(
      (code) => this.end(code, reading),
      () => this.end(brokenOff, reading),
    );
  }

  /** Resolves with the close code the stream's end stands for. */
  private async stream(resume: Cursor | null, signal: AbortSignal): Promise<number> {
    const headers = new Headers({ Accept: "text/event-stream", Authorization: `Bearer ${this.token}` });
    if (resume) headers.set("Last-Event-ID", `${resume.epoch}.${resume.revision}`);
    const response = await this.routes.send(this.routes.events, { headers, signal, cache: "no-store" });
    const fate = await streamFate(response);
    if (fate !== null || !response.body) return fate ?? brokenOff;
    if (signal.aborted) return brokenOff;
    if (!this.opened) this.events.opened();
    this.opened = true;
    const parser = new SseParser();
    const utf8 = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return brokenOff;
      for (const item of parser.push(utf8.decode(value, { stream: true }))) {
        if (!signal.aborted) this.hear(item.kind === "event" ? parseServerFrame(item.data) : null);
      }
    }
  }

  private hear(frame: ReturnType<typeof parseServerFrame>): void {
    if (frame?.type === "welcome" || frame?.type === "change") this.epoch = frame.epoch;
    this.events.heard(frame);
  }

  private async patch(frame: PatchFrame): Promise<void> {
    const { type: _, ...body } = frame;
    const headers = {
      Authorization: `Bearer ${this.token}`,
      "Content-Type": patchType,
      Accept: "application/json",
    };
    try {
      const init = { method: "PATCH", headers, body: encodeJson(body), cache: "no-store" } as const;
      const answer = await patchAnswer(frame.id, await this.routes.send(this.routes.settings, init));
      if (this.over) return;
      if (typeof answer === "number") this.fail(answer);
      else this.events.heard(answer);
    } catch {
      // Nobody knows whether it arrived: the next link sends it again (SPEC I3).
      this.fail(brokenOff);
    }
  }

  private end(code: number, reading: AbortController): void {
    if (reading === this.reading) this.fail(code);
  }

  private fail(code: number): void {
    if (this.over) return;
    this.close();
    this.events.closed(code);
  }
}
