/** One request of the client, and a hand to answer it. */
export interface FakeRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly aborted: () => boolean;
  readonly answer: (response: Response) => void;
  readonly fail: () => void;
}

/** A network whose answers are given by hand. */
export class FakeHttp {
  readonly requests: FakeRequest[] = [];

  readonly send = (url: string, init: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const { signal } = init;
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.requests.push({
        url,
        method: init.method ?? "GET",
        headers: new Headers(init.headers),
        body: init.body ? JSON.parse(String(init.body)) : null,
        aborted: () => signal?.aborted ?? false,
        answer: resolve,
        fail: () => reject(new TypeError("network")),
      });
    });

  get last(): FakeRequest {
    const last = this.requests.at(-1);
    if (!last) throw new Error("no request was made");
    return last;
  }
}

/** An event stream that is written by hand. */
export class FakeStream {
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  private readonly utf8 = new TextEncoder();
  readonly response: Response;

  constructor() {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
    });
    this.response = new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  }

  readonly write = (text: string): void => this.controller?.enqueue(this.utf8.encode(text));
  readonly writeBytes = (bytes: Uint8Array): void => this.controller?.enqueue(bytes);
  readonly say = (frame: { readonly type: string; readonly [name: string]: unknown }): void =>
    this.write(`event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`);
  readonly end = (): void => this.controller?.close();
}

/** Streams and bodies take turns of the real event loop; no time passes. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** An RFC 9457 problem (SPEC E6). */
export function problem(
  status: number,
  code: string,
  more: object = {},
  headers: HeadersInit = {},
): Response {
  const body = {
    type: "about:blank",
    title: "",
    status,
    code,
    detail: `It is ${code}.`,
    errors: null,
    ...more,
  };
  return Response.json(body, { status, headers });
}
