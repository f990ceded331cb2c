import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";

interface FrontOptions {
  /** Where the certificate of an https front is made; absent: plain http. */
  tls?: string;
  /** Headers added to a request, in place of those of the same name. */
  headers?: (request: IncomingMessage) => Record<string, string>;
  /** Passes a WebSocket on as an ordinary request, as a proxy without the lines for upgrades does. */
  ignoresUpgrades?: boolean;
}

/** A reverse proxy of few lines that a test can turn into a captive portal, or cut in mid-stream. */
export class Front {
  /** While set, every request is answered by the owner of the network: with a page, or a redirect to one. */
  portal: 200 | 302 | null = null;
  /** Cuts so far. */
  cuts = 0;
  /** Bytes to clients until the cut; null: none is due. */
  private budget: number | null = null;
  private readonly sockets = new Set<Duplex>();
  private readonly listener;

  private constructor(
    private readonly target: number,
    private readonly options: FrontOptions,
  ) {
    const answer = (from: IncomingMessage, to: ServerResponse) => this.pass(from, to);
    this.listener = options.tls ? createSecureServer(certificate(options.tls), answer) : createServer(answer);
    this.listener.on("connection", (socket: Socket) => {
      this.sockets.add(socket.on("error", () => {}).on("close", () => this.sockets.delete(socket)));
    });
    this.listener.on("upgrade", (from: IncomingMessage, near: Duplex, head: Buffer) =>
      this.upgrade(from, near, head),
    );
  }

  static async to(port: number, options: FrontOptions = {}): Promise<Front> {
    const front = new Front(port, options);
    front.listener.listen(0, "127.0.0.1");
    await once(front.listener, "listening");
    return front;
  }

  get origin(): string {
    const address = this.listener.address();
    if (address === null || typeof address === "string") throw new Error("it does not listen");
    return `${this.options.tls ? "https" : "http"}://127.0.0.1:${address.port}`;
  }

  /** Cuts everything once `bytes` more have gone to clients, in the middle of whatever it is. */
  cutAfter(bytes: number): void {
    this.budget = bytes;
  }

  /** Cuts everything now. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.listener, "close");
    this.listener.close();
    this.cut();
    await closed;
  }

  private pass(from: IncomingMessage, to: ServerResponse): void {
    if (this.portal !== null) {
      const location = from.url === "/welcome" ? {} : { Location: "/welcome" };
      const status = from.url === "/welcome" ? 200 : this.portal;
      to.writeHead(status, { "Content-Type": "text/html", ...(status === 302 ? location : {}) });
      to.end("<h1>Welcome to our network</h1>");
      return;
    }
    const far = request({ ...this.there(from), method: from.method }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      to.flushHeaders();
      answer.on("data", (data: Buffer) => this.down(data, to));
      answer.on("end", () => to.end());
      answer.on("error", () => to.destroy());
    });
    far.on("error", () => to.destroy());
    to.on("close", () => far.destroy());
    from.pipe(far);
  }

  /** Hands a connection that was upgraded through, from the head of its request on. */
  private upgrade(from: IncomingMessage, near: Duplex, head: Buffer): void {
    if (this.portal !== null) {
      near.end("HTTP/1.1 302 Found\r\nLocation: /welcome\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    const far = connect(this.target, "127.0.0.1");
    const headers = Object.entries(this.there(from).headers);
    far.write(`${from.method} ${from.url} HTTP/1.1\r\n`);
    for (const [name, value] of headers) far.write(`${name}: ${value}\r\n`);
    far.write("\r\n");
    far.write(head);
    near.pipe(far);
    far.on("data", (data: Buffer) => this.down(data, near));
    far.on("error", () => near.destroy()).on("close", () => near.destroy());
    near.on("error", () => far.destroy()).on("close", () => far.destroy());
  }

  private there(from: IncomingMessage) {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries({ ...from.headers, ...this.options.headers?.(from) })) {
      const upgrade = name === "upgrade" || name === "connection";
      if (value !== undefined && !(upgrade && this.options.ignoresUpgrades)) headers[name] = String(value);
    }
    return { host: "127.0.0.1", port: this.target, path: from.url, headers };
  }

  /** Sends data to a client, as far as the cut allows. */
  private down(data: Buffer, to: Duplex | ServerResponse): void {
    if (this.budget === null || data.length < this.budget) {
      if (this.budget !== null) this.budget -= data.length;
      to.write(data);
      return;
    }
    to.write(data.subarray(0, this.budget), () => this.cut());
    this.budget = null;
    this.cuts++;
  }
}

/** A certificate of its own for 127.0.0.1. */
function certificate(folder: string): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(folder, "front.key"), join(folder, "front.crt")];
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
